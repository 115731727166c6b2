"""Models as OpenVINO graphs, put together from their weights; nothing here runs or loads one."""
