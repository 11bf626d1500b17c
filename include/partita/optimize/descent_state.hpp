// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the checkpoints of all descent methods hold.

#include <partita/optimize/descent.hpp>
#include <partita/persist/model_file.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// Saves a descent that goes on (so without the reason of its end) and how it stalls.
[[gnu::cold]] inline void save_descent(ModelWriter& writer, const Descent& d, const Stall& stall) {
    writer.vector("point", d.point);
    writer.vector("history", d.history);
    writer.vector("numbers", std::vector<double>{d.objective, d.gradient_norm, stall.best_norm});
    writer.vector("counts", std::vector<std::int64_t>{d.iterations, d.evaluations, stall.count});
}

/// Loads what save_descent saved. Errors: the ModelFileError family, also for counts that no descent can have come to.
[[gnu::cold]] inline void load_descent(ModelReader& reader, Descent& d, Stall& stall) {
    d.point = reader.vector<double>("point");
    d.history = reader.vector<double>("history");
    const std::vector<double> numbers = reader.vector<double>("numbers");
    const std::vector<std::int64_t> counts = reader.vector<std::int64_t>("counts");
    if (numbers.size() != 3 || counts.size() != 3) reader.malformed("a descent has three numbers and three counts");
    for (const std::int64_t count : counts)
        if (count < 0 || count > (1 << 30)) reader.invalid("a count of a descent is out of range");
    if (d.history.size() != static_cast<std::size_t>(counts[0]) + 1)
        reader.invalid("the history of a descent is not that of its iterations");
    d.objective = numbers[0];
    d.gradient_norm = numbers[1];
    stall.best_norm = numbers[2];
    d.iterations = static_cast<int>(counts[0]);
    d.evaluations = static_cast<int>(counts[1]);
    stall.count = static_cast<int>(counts[2]);
}

}  // namespace partita::inline PARTITA_ABI::detail
