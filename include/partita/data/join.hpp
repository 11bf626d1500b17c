// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows of two tables side by side.

#include <partita/data/dataset.hpp>
#include <partita/data/join/match_rows.hpp>
#include <partita/data/join/settings.hpp>
#include <partita/data/origin.hpp>
#include <partita/data/relational/key_columns.hpp>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// Categories and texts are equal by their text.
constexpr Kind matched_kind(Kind kind) { return kind == Kind::category ? Kind::text : kind; }

template <class Left, class Right, Name Key, bool Same>
struct ExplainMatch {};
template <class Left, class Right, Name Key>
struct ExplainMatch<Left, Right, Key, false> {
    static_assert(
        sizeof(wrong::KeyTypesDiffer<wrong::OfColumn<Key>, wrong::Given<ColumnValue<Left, Key>>,
                                     wrong::Given<ColumnValue<Right, Key>>>) == 0,
        "a join compares keys of one type, missing values aside; give one table a key of the other's type by map");
};

template <class Left, class Right, Name Key>
consteval bool demand_match() {
    constexpr bool keys = demand_key<Left, Key>() && demand_key<Right, Key>();
    if constexpr (keys) {
        constexpr bool same =
            matched_kind(ColumnValueOf<Left, Key>::column.kind) == matched_kind(ColumnValueOf<Right, Key>::column.kind);
        static_cast<void>(sizeof(ExplainMatch<Left, Right, Key, same>));
        return same;
    }
    return false;
}

/// The columns of the right table that are no keys.
template <class Right, Name... Keys>
inline constexpr auto joined_ordinals = [] {
    std::array<std::size_t, columns_of<Right>.size() - sizeof...(Keys)> ordinals{};
    std::size_t count = 0;
    for (std::size_t i = 0; i < columns_of<Right>.size(); ++i)
        if (((columns_of<Right>[i].name != Keys.view()) && ...)) ordinals[count++] = i;
    return ordinals;
}();

template <class Left, class Right, Name... Keys>
consteval int first_clash() {
    for (const std::size_t ordinal : joined_ordinals<Right, Keys...>)
        if (const int found = find_column(columns_of<Left>, columns_of<Right>[ordinal].name); found >= 0) return found;
    return -1;
}

template <class Left, int Clash>
struct ExplainClash {
    static_assert(
        sizeof(wrong::ColumnIsDuplicate<wrong::OfColumn<name_at<Left, static_cast<std::size_t>(Clash)>>>) == 0,
        "both tables of a join have a column of this name that is no key: rename<\"its_name\", \"another\">(table) "
        "in one of them, or select the others");
};
template <class Left>
struct ExplainClash<Left, -1> {};

/// A column that may be missing where no row matched.
template <ColumnType Type>
constexpr ColumnType or_missing() {
    ColumnType type = Type;
    type.nullable = true;
    return type;
}
template <class Right, std::size_t Ordinal, bool KeepUnmatched>
struct ExplainMissing {
    static constexpr ColumnType column = columns_of<Right>[Ordinal].type;
    static constexpr bool can_be_missing = (kind_bit(column.kind) & (dense_vector_kinds | sparse_vector_kinds)) == 0;
    static_assert(wrong::unless < !KeepUnmatched || can_be_missing,
                  wrong::ColumnHasWrongType < wrong::OfColumn<name_at<Right, Ordinal>>, wrong::Given<ValueType<column>>,
                  wrong::TakesKinds < "a single value, which may be missing" >>>,
                  "rows without a match have no vector: select the other columns of the right table, or join instead "
                  "of left_join");
    static constexpr ColumnType type = KeepUnmatched && can_be_missing ? or_missing<column>() : column;
};

template <class Left, class Right, bool KeepUnmatched, class Keys, class LeftIndexes, class RightIndexes>
struct JoinOf;
template <class Left, class Right, bool KeepUnmatched, Name... Keys, std::size_t... L, std::size_t... R>
struct JoinOf<Left, Right, KeepUnmatched, NameList<Keys...>, std::index_sequence<L...>, std::index_sequence<R...>> {
    static constexpr auto ordinals = joined_ordinals<Right, Keys...>;
    static constexpr std::array<ColumnType, ordinals.size()> types{
        ExplainMissing<Right, ordinals[R], KeepUnmatched>::type...};
    /// What is looked up depends on the key, too.
    using KeySources = AllNames<NameList<Keys...>, SourcesByName<Left, Keys>...>;
    using Joined =
        Schema<CopiedColumn<Left, L>...,
               ColumnLike<Right, ordinals[R], name_at<Right, ordinals[R]>, ValueType<types[R]>, KeySources>...>;
};

template <class LeftRole, class RightRole>
inline constexpr bool may_look_up = std::is_same_v<RightRole, Unsplit> || std::is_same_v<LeftRole, RightRole>;

template <bool KeepUnmatched, Name... Keys, class Left, class LeftRole, class Right, class RightRole>
auto join_datasets(const Dataset<Left, LeftRole>& left, const Dataset<Right, RightRole>& right,
                   const JoinSettings& settings) {
    static_assert(sizeof...(Keys) > 0, "name the columns to join by: join<\"tailnum\">(flights, planes)");
    static_assert(
        wrong::unless<may_look_up<LeftRole, RightRole>,
                      wrong::RolesDoNotMix<wrong::Given<LeftRole>, wrong::Given<RightRole>>>,
        "data of two roles do not mix: rows to be judged on must not reach a fit. The right table of a join has the "
        "role of "
        "the left, or none; with_role<pt::Unsplit>() says that a table made of training rows is a look-up table");
    constexpr bool good = may_look_up<LeftRole, RightRole> && (demand_match<Left, Right, Keys>() && ...);
    if constexpr (good) {
        constexpr int clash = first_clash<Left, Right, Keys...>();
        static_cast<void>(sizeof(ExplainClash<Left, clash>));
        using Of =
            JoinOf<Left, Right, KeepUnmatched, NameList<Keys...>, std::make_index_sequence<columns_of<Left>.size()>,
                   std::make_index_sequence<columns_of<Right>.size() - sizeof...(Keys)>>;
        if (right.state().plan.weight_slot >= 0)
            throw InvalidSetting("join takes no weights from the right table; call weigh_by on the result",
                                 Place{.setting = "weigh_by"});
        const Dataset<Left, LeftRole> stored = left.materialize();
        const Dataset<Right, RightRole> looked_up = right.materialize();
        const Plan& plan = stored.state().plan;
        // The weights of the left table, if they are no column of it, lie behind its columns and before those of the right.
        Chunks chunks =
            join_chunks(left.session(), {stored.state().chunks, stored_types(plan), match_parts<Left, Keys...>},
                        {looked_up.state().chunks, stored_types(looked_up.state().plan), match_parts<Right, Keys...>},
                        Of::ordinals, Of::types, KeepUnmatched, settings.broadcast_bytes);
        return widened<typename Of::Joined>(stored, std::move(chunks));
    } else {
        return left;  // the compilation has failed
    }
}

}  // namespace detail

/// Every row of `left` beside each row of `right` with the same values in the named columns: `join<"tailnum">(flights, planes)`.
/// The columns are those of the left table, then those of the right but the keys.
///
/// Keys are compared by value, texts and categories by their bytes; -0 equals +0. A missing key and a NaN match nothing. Rows come
/// in the order of the left table, the matches of one in the order of the right; they get the ids 0, 1, …. The right table has
/// the role of the left or none, and the result that of the left, as its weights. A column of the right table
/// counts as computed from the keys: no learner whose target is among them may read it.
///
/// A collective. Errors: InvalidSetting for a weighted right table. Determinism: the same rows for any number of threads and
/// workers and for either way. Cost: columns are computed and stored; a hash table of the right rows. Left rows stay with
/// their worker: a small right table (see JoinSettings) goes to every worker; a larger one travels once, to the
/// workers that its keys are dealt to, and again as far as it matches.
template <Name... Keys, class Left, class LeftRole, class Right, class RightRole>
auto join(const Dataset<Left, LeftRole>& left, const Dataset<Right, RightRole>& right,
          const JoinSettings& settings = {}) {
    return detail::join_datasets<false, Keys...>(left, right, settings);
}

/// As `join`, and rows of the left table that match nothing stay, once each: the columns of the right table become
/// std::optional and are missing there.
template <Name... Keys, class Left, class LeftRole, class Right, class RightRole>
auto left_join(const Dataset<Left, LeftRole>& left, const Dataset<Right, RightRole>& right,
               const JoinSettings& settings = {}) {
    return detail::join_datasets<true, Keys...>(left, right, settings);
}

}  // namespace partita::inline PARTITA_ABI
