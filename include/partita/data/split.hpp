// SPDX-License-Identifier: Apache-2.0
#pragma once

// Splits give data its role. They name their shape, keep row ids, and depend on the data and the seed alone.

#include <partita/core/number_text.hpp>
#include <partita/data/dataset.hpp>

#include <algorithm>
#include <bit>
#include <limits>
#include <tuple>

namespace partita::inline PARTITA_ABI {

/// Two parts: `train` is the share of the rows that is trained on, the rest is for the test.
struct TrainTest {
    double train = 0.8;
    std::uint64_t seed = 0;  ///< of random splits
};
/// Three parts: shares of the rows for training and validation, the rest is for the test.
struct TrainValidationTest {
    double train = 0.6;
    double validation = 0.2;
    std::uint64_t seed = 0;  ///< of random splits
};
/// Two parts by date: training before `test_from`, the test from then on.
struct TrainTestDates {
    Timestamp test_from;
};
/// Three parts by date: training before `validation_from`, the test from `test_from` on.
struct TrainValidationTestDates {
    Timestamp validation_from, test_from;
};

namespace detail {

inline void check_share(const char* setting, double share, double of_earlier_parts = 0) {
    if (!(share > 0 && share + of_earlier_parts < 1))
        throw InvalidSetting(std::string("a split with ") + setting + " = " + number_text(share) +
                                 " leaves a part without rows; give a share above 0, and leave some for the test",
                             Place{.setting = setting});
}

constexpr std::uint64_t stream_split = 2;

template <class Row>
Dataset<Row, Unsplit> rows_drawn(const Dataset<Row, Unsplit>& data, std::uint64_t seed, double from, double to) {
    return data.keep_rows([&](Block& block, std::vector<std::uint32_t>& chosen) {
        for (std::size_t row = 0; row < block.rows(); ++row) {
            const double draw = uniform(seed, stream_split, static_cast<std::uint64_t>(block.row_id(row)));
            if (draw >= from && draw < to) chosen.push_back(static_cast<std::uint32_t>(row));
        }
    });
}

/// The rows from one time (if there is one) up to another, which is not in it (or to the end).
template <class Row>
Dataset<Row, Unsplit> rows_between(const Dataset<Row, Unsplit>& data, int slot, std::optional<Timestamp> from,
                                   std::optional<Timestamp> to) {
    return data.keep_rows([&](Block& block, std::vector<std::uint32_t>& chosen) {
        const auto times = block.view<Timestamp>(slot);
        const std::int64_t first = from ? from->microseconds : std::numeric_limits<std::int64_t>::min();
        const std::int64_t last = to ? to->microseconds - 1 : std::numeric_limits<std::int64_t>::max();
        if (to && to->microseconds == std::numeric_limits<std::int64_t>::min()) return;
        const auto inside = [&](Timestamp time) { return time.microseconds >= first && time.microseconds <= last; };
        std::size_t count = 0;  // first, since files are often written in the order of time
        for (Timestamp time : times) count += inside(time) ? 1 : 0;
        if (count == 0) return;
        if (count == block.rows()) return choose_all(block, chosen);
        for (std::size_t row = 0; row < block.rows(); ++row)
            if (inside(times[row])) chosen.push_back(static_cast<std::uint32_t>(row));
    });
}

/// The earliest and the latest time of all workers.
inline std::pair<std::int64_t, std::int64_t> time_range(const DatasetState& state, int slot) {
    constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
    // The complement of the earliest, and the latest: the maximum of both is wanted.
    std::int64_t extremes[2] = {lowest, lowest};
    const PendingError pending = attempt([&] {
        std::vector<std::pair<std::int64_t, std::int64_t>> each(state.session->threads(), {lowest, lowest});
        for_each_block(state, [&](Block& block, std::size_t worker) {
            auto [first, last] = each[worker];
            for (Timestamp time : block.view<Timestamp>(slot)) {
                first = std::max(first, ~time.microseconds);
                last = std::max(last, time.microseconds);
            }
            each[worker] = {first, last};
        });
        for (const auto& [first, last] : each) {
            extremes[0] = std::max(extremes[0], first);
            extremes[1] = std::max(extremes[1], last);
        }
    });
    state.session->communicator().all_reduce(extremes, Reduction::maximum, pending);
    return {~extremes[0], extremes[1]};
}

/// The latest time such that at most `share` of the rows lie before it, found exactly by counting times: 16 bits of their
/// distance from the earliest in each pass. Rows with that very time belong to the later part. Errors: EmptyDataset if no row
/// is earlier.
inline Timestamp time_at_share(const DatasetState& state, int slot, std::int64_t rows, double share) {
    // Rows before the border: 0.29 of 100 rows are 29, though the product of the doubles lies just below.
    const auto wanted = static_cast<std::int64_t>(share * static_cast<double>(rows) * (1 + 1e-12));
    const auto [earliest, latest] = time_range(state, slot);
    const auto origin = static_cast<std::uint64_t>(earliest);
    const auto bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(latest) - origin));
    std::uint64_t prefix = 0;
    std::int64_t before = 0;
    for (int left = bits; left > 0;) {
        const int known = bits - left, taken = std::min(16, left);
        left -= taken;
        const std::size_t digits = std::size_t{1} << taken;
        std::vector<std::vector<std::int64_t>> counts(state.session->threads());
        std::vector<std::int64_t> total(digits, 0);
        const PendingError pending = attempt([&] {
            for_each_block(state, [&](Block& block, std::size_t worker) {
                auto& mine = counts[worker];
                mine.resize(digits);
                for (Timestamp time : block.view<Timestamp>(slot)) {
                    const std::uint64_t key = static_cast<std::uint64_t>(time.microseconds) - origin;
                    if (known == 0 || key >> (bits - known) == prefix) ++mine[key >> left & (digits - 1)];
                }
            });
            for (const auto& mine : counts)
                for (std::size_t i = 0; i < mine.size(); ++i) total[i] += mine[i];
        });
        state.session->communicator().all_reduce(total, Reduction::sum, pending);
        std::size_t digit = 0;
        while (digit < digits - 1 && before + total[digit] <= wanted) before += total[digit++];
        prefix = prefix << taken | digit;
    }
    if (before == 0)
        throw EmptyDataset(
            "a split by time leaves no row for training: the earliest moment alone holds more rows than the share " +
            number_text(share) + "; give a larger share, a date, or split at random");
    return Timestamp{static_cast<std::int64_t>(origin + prefix)};
}

template <Name TimeColumn, class Row>
consteval int time_ordinal() {
    constexpr int ordinal = find_column(columns_of<Row>, TimeColumn.view());
    detail::demand_column<Row, TimeColumn>();
    if constexpr (ordinal >= 0) {
        constexpr ColumnType type = columns_of<Row>[static_cast<std::size_t>(ordinal)].type;
        constexpr bool is_time = type == column_type<Timestamp>;
        using WrongType = wrong::ColumnHasWrongType<wrong::OfColumn<TimeColumn>, wrong::Given<ValueType<type>>,
                                                    wrong::Takes<Timestamp>>;
        static_assert(wrong::unless<is_time, WrongType>,
                      "split_by_time needs a Timestamp column without missing values");
    }
    return ordinal;
}

/// The data, if they may be split at all; the compile error otherwise.
template <class Row, class Role>
Dataset<Row, Unsplit> splittable(const Dataset<Row, Role>& data) {
    static_assert(wrong::unless<std::is_same_v<Role, Unsplit>, wrong::SplitNeedsUnsplitData<wrong::Given<Role>>>,
                  "only data without a role is split into roles; split it once, before anything else");
    return data.template with_role<Unsplit>();
}

}  // namespace detail

/// Draws each row for training with the chance `shape.train`, otherwise for the test, by the seed and the row's id alone.
/// Errors: InvalidSetting for a share that leaves a part without rows. A collective. Cost: a pass for each part.
template <class Row, class Role>
auto split_at_random(const Dataset<Row, Role>& data, TrainTest shape = {}) {
    const auto rows_to_split = detail::splittable(data);
    detail::check_share("train", shape.train);
    return std::make_tuple(detail::rows_drawn(rows_to_split, shape.seed, 0, shape.train).template with_role<Train>(),
                           detail::rows_drawn(rows_to_split, shape.seed, shape.train, 2).template with_role<Test>());
}
/// Draws each row for training, validation or the test.
template <class Row, class Role>
auto split_at_random(const Dataset<Row, Role>& data, TrainValidationTest shape) {
    const auto rows_to_split = detail::splittable(data);
    detail::check_share("train", shape.train);
    detail::check_share("validation", shape.validation, shape.train);
    const double border = shape.train + shape.validation;
    return std::make_tuple(
        detail::rows_drawn(rows_to_split, shape.seed, 0, shape.train).template with_role<Train>(),
        detail::rows_drawn(rows_to_split, shape.seed, shape.train, border).template with_role<Validation>(),
        detail::rows_drawn(rows_to_split, shape.seed, border, 2).template with_role<Test>());
}

/// The earliest rows for training, the latest for the test. Rows of one moment stay together.
/// Errors: InvalidSetting for a share that leaves a part without rows; EmptyDataset. A collective.
/// Cost: up to five counting passes over the time column, and one for each part that moves the rows.
template <Name TimeColumn, class Row, class Role>
auto split_by_time(const Dataset<Row, Role>& data, TrainTest shape = {}) {
    const auto rows_to_split = detail::splittable(data);
    detail::check_share("train", shape.train);
    const std::int64_t rows = rows_to_split.count();
    if (rows == 0) throw EmptyDataset("split_by_time was given no rows; check what was read and filtered before it");
    const int slot = rows_to_split.slot(detail::time_ordinal<TimeColumn, Row>());
    const Timestamp border = detail::time_at_share(rows_to_split.state(), slot, rows, shape.train);
    return split_by_time<TimeColumn>(rows_to_split, TrainTestDates{border});
}
/// As above, in three parts.
template <Name TimeColumn, class Row, class Role>
auto split_by_time(const Dataset<Row, Role>& data, TrainValidationTest shape) {
    const auto rows_to_split = detail::splittable(data);
    detail::check_share("train", shape.train);
    detail::check_share("validation", shape.validation, shape.train);
    const std::int64_t rows = rows_to_split.count();
    if (rows == 0) throw EmptyDataset("split_by_time was given no rows; check what was read and filtered before it");
    const int slot = rows_to_split.slot(detail::time_ordinal<TimeColumn, Row>());
    const Timestamp first = detail::time_at_share(rows_to_split.state(), slot, rows, shape.train);
    const Timestamp second = detail::time_at_share(rows_to_split.state(), slot, rows, shape.train + shape.validation);
    return split_by_time<TimeColumn>(rows_to_split, TrainValidationTestDates{first, second});
}
/// Training before the date, the test from it on.
template <Name TimeColumn, class Row, class Role>
auto split_by_time(const Dataset<Row, Role>& data, TrainTestDates dates) {
    const auto rows_to_split = detail::splittable(data);
    const int slot = rows_to_split.slot(detail::time_ordinal<TimeColumn, Row>());
    return std::make_tuple(
        detail::rows_between(rows_to_split, slot, std::nullopt, dates.test_from).template with_role<Train>(),
        detail::rows_between(rows_to_split, slot, dates.test_from, std::nullopt).template with_role<Test>());
}
/// Training, validation and the test between the dates.
/// Errors: InvalidSetting if the dates are not in order.
template <Name TimeColumn, class Row, class Role>
auto split_by_time(const Dataset<Row, Role>& data, TrainValidationTestDates dates) {
    const auto rows_to_split = detail::splittable(data);
    if (dates.test_from < dates.validation_from)
        throw InvalidSetting("split_by_time: test_from lies before validation_from; give them in order",
                             Place{.setting = "test_from"});
    const int slot = rows_to_split.slot(detail::time_ordinal<TimeColumn, Row>());
    return std::make_tuple(
        detail::rows_between(rows_to_split, slot, std::nullopt, dates.validation_from).template with_role<Train>(),
        detail::rows_between(rows_to_split, slot, dates.validation_from, dates.test_from)
            .template with_role<Validation>(),
        detail::rows_between(rows_to_split, slot, dates.test_from, std::nullopt).template with_role<Test>());
}

/// Names the role of data that come already split.
template <class Row>
Dataset<Row, Train> as_train(const Dataset<Row, Unsplit>& data) {
    return data.template with_role<Train>();
}
template <class Row>
Dataset<Row, Validation> as_validation(const Dataset<Row, Unsplit>& data) {
    return data.template with_role<Validation>();
}
template <class Row>
Dataset<Row, Test> as_test(const Dataset<Row, Unsplit>& data) {
    return data.template with_role<Test>();
}

/// The rows of both for the last fit, once everything is decided.
template <class Row>
Dataset<Row, Train> refit_rows(const Dataset<Row, Train>& train, const Dataset<Row, Validation>& validation) {
    return concat(train, validation.template with_role<Train>());
}

}  // namespace partita::inline PARTITA_ABI
