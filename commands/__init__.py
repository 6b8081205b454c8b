"""The commands of `wardwatch`, by what they are for; `cli` puts them together. Each loads only what it needs."""
