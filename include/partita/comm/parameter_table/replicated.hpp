// SPDX-License-Identifier: Apache-2.0
#pragma once

// The table of a policy that knows no consistency: every worker holds all of it, and the deltas of a clock are reduced.

#include <partita/comm/parameter_table/backend.hpp>
#include <partita/comm/parameter_table/shard.hpp>
#include <partita/comm/session.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <span>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// How the replicated twin of a ParameterTable reduces the deltas of a clock. The result is the same.
enum class TableExchange : std::uint8_t {
    automatic,  ///< per clock, whichever is fewer bytes
    dense,      ///< an all-reduce of all keys
    touched,    ///< an all-gather of the keys that workers touched
};

namespace detail {

class ReplicatedTable final : public TableBackend {
  public:
    ReplicatedTable(Session& session, TableShard shard, TableExchange exchange)
        : communicator_(session.communicator()), pool_(session.pool()), shard_(std::move(shard)), exchange_(exchange) {}

    void pull(std::span<const std::uint32_t> keys, std::span<float> values) override {
        if (error_) std::rethrow_exception(error_);
        shard_.read(keys, values.data());
    }

    void advance(Deltas deltas, const PendingError& pending) override {
        keep_error(pending, [&](const PendingError& first) { end_clock(std::move(deltas), first); });
    }

    TableContents collect(bool states, const PendingError& pending) override {
        TableContents contents;
        keep_error(pending, [&](const PendingError& first) {
            communicator_.agree(
                first ? first : attempt([&] { shard_.append_non_zero(states, contents.keys, contents.values); }));
        });
        return contents;
    }

  private:
    /// A collective; what it threw is brought along to all later ones, for a clock may be applied in part.
    template <class Collective>
    void keep_error(const PendingError& pending, Collective collective) {
        try {
            collective(error_ ? PendingError(error_) : pending);
        } catch (const Killed&) {
            throw;
        } catch (...) {
            error_ = std::current_exception();
            throw;
        }
    }

    void end_clock(Deltas deltas, const PendingError& pending) {
        if (communicator_.size() == 1) {
            communicator_.agree(pending);
            return shard_.apply(deltas, &pool_);
        }
        // Two words, as a worker that collects brings another number and is told so.
        std::array<std::int64_t, 2> touched{static_cast<std::int64_t>(deltas.keys.size()), 1};
        communicator_.all_reduce(touched, Reduction::sum, pending);
        if (touched[0] == 0) return;
        // All workers receive what all have touched; of a dense vector they send and receive about twice its length.
        const std::uint64_t words = shard_.end_key() * shard_.width();
        const std::uint64_t touched_bytes = static_cast<std::uint64_t>(touched[0]) * (4 + 8 * shard_.width());
        const bool dense =
            exchange_ == TableExchange::dense || (exchange_ == TableExchange::automatic && touched_bytes >= 16 * words);
        shard_.apply(dense ? reduce_dense(std::move(deltas)) : gather_touched(deltas), &pool_);
    }

    Deltas reduce_dense(Deltas deltas) {
        const std::size_t width = shard_.width();
        std::vector<std::int64_t> words;
        const PendingError failure = attempt([&] {
            words.resize(static_cast<std::size_t>(shard_.end_key()) * width);
            for (std::size_t i = 0; i < deltas.keys.size(); ++i)
                std::memcpy(words.data() + deltas.keys[i] * width, deltas.sums.data() + i * width,
                            width * sizeof(std::int64_t));
        });
        communicator_.all_reduce(words, Reduction::sum, failure);
        deltas = {};
        for (std::size_t key = 0; key * width < words.size(); ++key) {
            bool zero = true;
            for (std::size_t k = 0; k < width; ++k) zero = zero && words[key * width + k] == 0;
            if (zero) continue;
            deltas.keys.push_back(static_cast<std::uint32_t>(key));
            for (std::size_t k = 0; k < width; ++k) deltas.sums.push_back(words[key * width + k]);
        }
        return deltas;
    }

    Deltas gather_touched(const Deltas& deltas) {
        Bytes bytes;
        const PendingError failure =
            attempt([&] { write_deltas(deltas, 0, deltas.keys.size(), shard_.width(), bytes); });
        DeltaRuns runs(shard_.width(), shard_.unit());
        for (const Bytes& theirs : communicator_.all_gather(bytes, failure))
            runs.add(read_deltas(theirs, shard_.width()));
        return runs.take();
    }

    CommunicatorBase& communicator_;
    ThreadPool& pool_;
    TableShard shard_;
    TableExchange exchange_;
    std::exception_ptr error_;  // that the table came to
};

}  // namespace detail

}  // namespace partita::inline PARTITA_ABI
