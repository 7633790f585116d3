"""The wire contract of motionscribe: the protobuf schema, its stubs, and the events both sides share."""
