// SPDX-License-Identifier: Apache-2.0
#pragma once

// The first rows of an order, without ordering all of them.

#include <partita/data/dataset.hpp>
#include <partita/data/relational/key_columns.hpp>
#include <partita/data/relational/sort_rows.hpp>

namespace partita::inline PARTITA_ABI {

/// The first `rows` rows in the order of `sort<Keys…>`, all of them if there are fewer:
/// `top<descending("dep_delay")>(flights, 10)` gives the ten latest flights, the latest first. They get the ids 0, 1, ….
///
/// A collective. Determinism: as of sort. Cost: columns are computed and stored; a worker looks at each of its rows once and
/// sends at most `rows` of them.
template <SortKey... Keys, class Row, class Role>
Dataset<Row, Role> top(const Dataset<Row, Role>& data, std::size_t rows) {
    if constexpr (detail::demand_order_keys<Row, Keys...>()) {
        const Dataset<Row, Role> stored = data.materialize();
        return detail::with_chunks(stored, detail::sort_chunks(data.session(), stored.state().chunks,
                                                               detail::stored_types(stored.state().plan),
                                                               detail::key_parts<Row, Keys...>, rows));
    } else {
        return data;  // the compilation has failed
    }
}

}  // namespace partita::inline PARTITA_ABI
