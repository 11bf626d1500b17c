// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows in another order.

#include <partita/data/dataset.hpp>
#include <partita/data/relational/key_columns.hpp>
#include <partita/data/relational/sort_rows.hpp>

namespace partita::inline PARTITA_ABI {

/// The rows in the order of the named columns, the first deciding first: `sort<"origin", descending("distance")>(flights)`.
///
/// Numbers and times go from the lowest to the highest, bools from false to true, texts and categories by their bytes. A missing
/// value comes before all others and a NaN behind them, beyond infinity; `descending` turns all of it around. -0 and +0 are
/// equal, and rows of equal keys stay in the order of their ids. The rows get the ids 0, 1, …; a weight column stays in force.
///
/// A collective. Determinism: the same rows for any number of threads and workers. Cost: columns are computed and stored; each
/// worker sorts its rows, sends each row at most once to the worker whose part of the order it lies in, and sorts what it
/// received; its part is about as large as the others'. Memory: three times the worker's share of the rows while rows travel.
template <SortKey... Keys, class Row, class Role>
Dataset<Row, Role> sort(const Dataset<Row, Role>& data) {
    if constexpr (detail::demand_order_keys<Row, Keys...>()) {
        const Dataset<Row, Role> stored = data.materialize();
        return detail::with_chunks(
            stored, detail::sort_chunks(data.session(), stored.state().chunks,
                                        detail::stored_types(stored.state().plan), detail::key_parts<Row, Keys...>));
    } else {
        return data;  // the compilation has failed
    }
}

}  // namespace partita::inline PARTITA_ABI
