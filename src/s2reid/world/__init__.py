"""The synthetic world: people who walk before cameras, rendered with exact labels and no download."""
