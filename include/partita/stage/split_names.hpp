// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/data/reads.hpp>

namespace partita::inline PARTITA_ABI::detail {

/// Inputs first, output last: the names but the last as `Inputs`, all read alike, and the last as `output`.
template <KindSet Kinds, bool MissingWelcome, class List, Name... ColumnNames>
struct SplitNames;
template <KindSet Kinds, bool MissingWelcome, class... Reads, Name Output>
struct SplitNames<Kinds, MissingWelcome, Columns<Reads...>, Output> {
    using Inputs = Columns<Reads...>;
    static constexpr auto output = Output;
};
template <KindSet Kinds, bool MissingWelcome, class... Reads, Name First, Name Second, Name... Rest>
struct SplitNames<Kinds, MissingWelcome, Columns<Reads...>, First, Second, Rest...>
    : SplitNames<Kinds, MissingWelcome, Columns<Reads..., Read<First, Kinds, MissingWelcome>>, Second, Rest...> {};

}  // namespace partita::inline PARTITA_ABI::detail
