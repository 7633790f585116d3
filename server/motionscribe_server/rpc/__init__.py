"""The gRPC services, one file each, and what all of them do around a call. Decisions are made in streams/."""
