"""Simulated appliances around a built environment: they take certificates or refuse them, and connect.

From the bottom to the top: ``state`` keeps files, and the ``clock`` can be moved; ``credential`` is what an
``endpoint`` presents; ``dialing`` makes connections and validates who answers, with ``downloads`` of CRLs,
both until the ``ending``; ``judging`` says what an upload is worth; ``alerts`` and ``forwarding`` are what
is sent; ``appliance`` and ``receivers`` are who there is; ``links`` connect them on their ``scheduling``;
``crl_server`` and ``proxy`` are what they fetch CRLs from; ``lab`` has it all, with ``passphrases`` and the
``shelf`` of ready-made uploads; ``web`` shows it to people and programs, and ``hosting`` serves that.
``cast`` says who is who, ``raising`` brings it up, and ``control`` is how other processes of its user reach
it. A ``scenario`` is done step by step on a ``stage``; ``playing`` gives it a lab of its own.
"""
