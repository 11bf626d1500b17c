// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a ParameterTable does with clocks and reads, whichever way its policy keeps it.

#include <partita/comm/communicator.hpp>
#include <partita/comm/parameter_table/deltas.hpp>

#include <boost/describe/class.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// The keys of a ParameterTable that have a number other than zero, ascending, and their numbers: `width` values each, or
/// (collect_state) after each value the states that the rule keeps with it.
struct TableContents {
    std::vector<std::uint32_t> keys;
    std::vector<float> values;
    BOOST_DESCRIBE_CLASS(TableContents, (), (keys, values), (), ())
};

namespace detail {

class TableBackend {
  public:
    virtual ~TableBackend() = default;
    /// The keys are ascending and within the table. On any thread.
    virtual void pull(std::span<const std::uint32_t> keys, std::span<float> values) = 0;
    virtual void advance(Deltas deltas, const PendingError& pending) = 0;
    virtual TableContents collect(bool states, const PendingError& pending) = 0;
    /// The worker needs the table no more; `unwinding`: because of an error.
    virtual void close(bool unwinding) noexcept { static_cast<void>(unwinding); }
};

/// All workers' contents, gathered in the order of their keys.
inline TableContents gather_contents(CommunicatorBase& communicator, const TableContents& mine, std::size_t width,
                                     const PendingError& pending) {
    Bytes bytes;
    const PendingError failure = pending ? pending : attempt([&] {
        ByteWriter writer(bytes);
        writer.write(static_cast<std::uint64_t>(width));
        writer.write_raw(mine.keys.data(), mine.keys.size() * sizeof(std::uint32_t));
        writer.write_raw(mine.values.data(), mine.values.size() * sizeof(float));
    });
    const std::vector<Bytes> everyones = communicator.all_gather(bytes, failure);
    const std::size_t entry_bytes = sizeof(std::uint32_t) + width * sizeof(float);
    TableContents all;
    communicator.agree(attempt([&] {
        for (std::size_t other = 0; other < everyones.size(); ++other) {
            ByteReader reader(everyones[other]);
            if (reader.read<std::uint64_t>() != width)
                throw CollectiveMismatch(
                    "of the workers of a parameter table some collect its values and some its state; all "
                    "must call the same",
                    Place{.process = static_cast<std::int64_t>(other)});
            const std::size_t count = (everyones[other].size() - sizeof(std::uint64_t)) / entry_bytes;
            const std::size_t before = all.keys.size();
            all.keys.resize(before + count);
            all.values.resize((before + count) * width);
            reader.read_raw(all.keys.data() + before, count * sizeof(std::uint32_t));
            reader.read_raw(all.values.data() + before * width, count * width * sizeof(float));
        }
    }));
    return all;
}

}  // namespace detail

}  // namespace partita::inline PARTITA_ABI
