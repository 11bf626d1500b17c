// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a fit does with vectors that no table holds which the library made: of two widths, and without elements. It takes the
// types of check_stage, so that nothing more is compiled for a learner.

#include <partita/pipeline/check_stage.hpp>

#include <catch2/catch.hpp>

namespace widths {

namespace detail = partita::detail;

/// Fits on 1, 2 and 3 workers, and requires that every fit is refused in the same words, which name the column.
inline void are_refused(const detail::StageProbe& probe, const detail::Chunks& chunks, const char* words) {
    for (std::size_t workers : {1U, 2U, 3U}) {
        std::vector<detail::Ending> endings(workers);
        detail::run_workers(detail::PolicyToTry::ring, workers, [&](partita::Session& session) {
            endings[session.rank()] = detail::ending_of([&] {
                const auto mine = detail::chunks_of_worker(chunks, session.rank(), workers);
                static_cast<void>(probe.fit(session, {mine, false}));
            });
        });
        for (const detail::Ending& ending : endings) {
            INFO(workers << " workers: " << ending.text());
            CHECK(ending.is(partita::WrongWidth::name));
            CHECK(ending.what.find(words) != std::string::npos);
            CHECK(ending.place.column == "features");
        }
    }
}

inline void all_are_refused(const detail::StageProbe& probe) {
    const auto of_width = [&](std::size_t width) {
        const auto columns = probe.facts().columns;
        return detail::in_chunks(*detail::RowMaker(columns, {.rows = 8500, .labels = true, .width = width}).make(), 1);
    };
    const detail::Chunks narrow = of_width(4), wide = of_width(40);
    REQUIRE(narrow.size() > 3);
    for (const std::size_t cut : {std::size_t{1}, narrow.size() / 2, narrow.size() - 1})
        for (const bool widest_first : {false, true}) {
            detail::Chunks mixed = widest_first ? wide : narrow;
            const detail::Chunks& others = widest_first ? narrow : wide;
            std::copy(others.begin() + static_cast<std::ptrdiff_t>(cut), others.end(),
                      mixed.begin() + static_cast<std::ptrdiff_t>(cut));
            are_refused(probe, mixed, "have 4 elements in some rows and 40 in others");
        }
    are_refused(probe, of_width(0), "have no elements to learn from");
}

/// The learner refuses them, on the table that check_stage tries it on.
template <class Learner, class Table = detail::TableToCheck<Learner>>
void are_refused_by(const Learner& learner) {
    all_are_refused(detail::StageProbeOf<Learner, typename detail::AsSchema<Table>::type>(learner, {}));
}

}  // namespace widths
