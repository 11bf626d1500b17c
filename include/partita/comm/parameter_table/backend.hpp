// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a ParameterTable does with clocks and reads, whichever way its policy keeps it.

#include <partita/comm/communicator.hpp>
#include <partita/comm/parameter_table/deltas.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// The keys of a ParameterTable that have a value other than zero, ascending, and their values, `width` floats each.
struct TableContents {
    std::vector<std::uint32_t> keys;
    std::vector<float> values;
};

namespace detail {

class TableBackend {
  public:
    virtual ~TableBackend() = default;
    /// The keys are ascending and within the table.
    virtual void pull(std::span<const std::uint32_t> keys, std::span<float> values) = 0;
    virtual void advance(Deltas deltas, const PendingError& pending) = 0;
    virtual TableContents collect(const PendingError& pending) = 0;
    /// The worker needs the table no more; `unwinding`: because of an error.
    virtual void close(bool unwinding) noexcept { static_cast<void>(unwinding); }
};

/// All workers' contents, gathered in the order of their keys.
inline TableContents gather_contents(CommunicatorBase& communicator, const TableContents& mine, std::size_t width,
                                     const PendingError& pending) {
    Bytes bytes;
    ByteWriter writer(bytes);
    writer.write_raw(mine.keys.data(), mine.keys.size() * sizeof(std::uint32_t));
    writer.write_raw(mine.values.data(), mine.values.size() * sizeof(float));
    const std::vector<Bytes> everyones = communicator.all_gather(bytes, pending);
    const std::size_t entry_bytes = sizeof(std::uint32_t) + width * sizeof(float);
    TableContents all;
    for (const Bytes& theirs : everyones) {
        const std::size_t count = theirs.size() / entry_bytes;
        const std::size_t before = all.keys.size();
        all.keys.resize(before + count);
        all.values.resize((before + count) * width);
        ByteReader reader(theirs);
        reader.read_raw(all.keys.data() + before, count * sizeof(std::uint32_t));
        reader.read_raw(all.values.data() + before * width, count * width * sizeof(float));
    }
    return all;
}

}  // namespace detail

}  // namespace partita::inline PARTITA_ABI
