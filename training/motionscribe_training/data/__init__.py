"""What is learnt from: public recordings, their annotations, and windows of features. Imports no sibling package."""
