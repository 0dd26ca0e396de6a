"""One end-entity certificate with everything published for it, and the changes that can be made to it."""
