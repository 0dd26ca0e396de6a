"""The faults: one module or package per family, one function per fault."""
