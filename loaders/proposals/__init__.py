"""`layout new`: looks at an unknown file, and writes a layout that says what it saw and asks what it cannot know."""

from loaders.proposals.proposal import propose_layout

__all__ = ["propose_layout"]
