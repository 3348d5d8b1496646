/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/scope.h"

const char *dfs_scope_text(enum dfs_scope scope)
{
	static const char *const texts[DFS_SCOPES] = {
		[DFS_SCOPE_LOSSY] = "",
		[DFS_SCOPE_ONE_DIMENSION] = "one dimension",
		[DFS_SCOPE_DTYPE] = "dtype",
		[DFS_SCOPE_SHAPE] = "shape",
		[DFS_SCOPE_EXCLUDED] = "excluded",
		[DFS_SCOPE_EMBEDDING] = "embedding or head",
		[DFS_SCOPE_NORM] = "norm or bias",
		[DFS_SCOPE_NAME] = "name",
		[DFS_SCOPE_NO_BASE] = "no base tensor",
		[DFS_SCOPE_SMALL] = "too small",
		[DFS_SCOPE_UNEVEN] = "shape, for this codec",
		[DFS_SCOPE_TIED] = "tied",
		[DFS_SCOPE_SAME] = "same as base",
		[DFS_SCOPE_NOT_FINITE] = "NaN or infinity",
		[DFS_SCOPE_DECLINED] = "declined",
		[DFS_SCOPE_SMALLER] = "smaller exactly",
		[DFS_SCOPE_UNPLANNED] = "unplanned",
	};

	return (unsigned)scope < DFS_SCOPES ? texts[scope] : "?";
}
