"""Simulated appliances around a built environment: they take certificates or refuse them, and connect.

From the bottom to the top: ``state`` keeps files; ``credential`` is what an appliance presents; ``dialing``
makes connections and validates who answers, with ``downloads`` of CRLs, both until the ``ending``;
``judging`` says what an upload is worth; ``alerts`` and ``forwarding`` are what is sent; ``appliance`` and
``receivers`` are who there is; ``links`` connect them on their ``scheduling``; ``lab`` has it all; ``web``
and ``rest`` show it; ``hosting`` serves that. A ``scenario`` is done step by step on a ``stage``;
``playing`` gives it a lab of its own.
"""
