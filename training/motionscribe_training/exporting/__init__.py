"""A trained network as a model folder: ONNX graphs, arrays, and windows by which every server checks them."""
