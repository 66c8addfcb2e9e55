"""The paper's tables: each is rows x (source, target) x seeds, trained, scored and shown beside the published one."""
