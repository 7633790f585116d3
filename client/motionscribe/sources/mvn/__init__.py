"""Xsens MVN's network streamer as a feed: its datagrams, whose poses they are, and the reader of a UDP port."""
