"""What runs inside a worker process: the scheduler of sessions, ONNX Runtime, and the messages to and fro."""
