// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/comm/communicator.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// A policy that has all workers tell each other what they are about to call, before they do: `Checked<RingAllReduce<>>`.
/// Where calls, reductions or lengths differ, all workers throw the same CollectiveMismatch and the run goes on. For
/// debugging: it costs a further gather per call.
template <Communicator Policy>
class Checked {
  public:
    using transport = typename Policy::transport;
    using consistency = detail::ConsistencyOf<Policy>;

    explicit Checked(Link& link) : link_(link), inner_(link) {}
    std::size_t rank() const { return inner_.rank(); }
    std::size_t size() const { return inner_.size(); }

    void all_reduce(std::span<std::int64_t> words, Reduction reduction) {
        if (same_call({1, static_cast<std::int64_t>(reduction), static_cast<std::int64_t>(words.size())})) {
            inner_.all_reduce(words, reduction);
        }
    }
    std::vector<Bytes> all_gather(std::span<const std::byte> mine) {
        return same_call({2, 0, 0}) ? inner_.all_gather(mine) : std::vector<Bytes>(size());
    }
    void broadcast(Bytes& bytes, std::size_t root)
        requires requires(Policy& policy) { policy.broadcast(bytes, root); }
    {
        if (same_call({3, static_cast<std::int64_t>(root), 0})) inner_.broadcast(bytes, root);
    }
    std::vector<Bytes> all_to_all(std::vector<Bytes> outgoing) {
        if (!same_call({4, 0, 0})) return {};
        return detail::all_to_all_of(inner_, link_, std::move(outgoing));
    }

  private:
    struct Call {
        std::int64_t operation;
        std::int64_t detail;
        std::int64_t length;

        friend bool operator==(const Call&, const Call&) = default;
    };

    /// Whether all workers make this call. If not, or if one of them has an error, all of them get an error here.
    bool same_call(const Call& call) {
        // Under one name for every call, so that the gather itself is the same on all workers.
        const Operation operation = link_.exchange_operation(Operation::none);
        Bytes mine;
        ByteWriter(mine).write(call);
        const std::vector<Bytes> everyones = inner_.all_gather(mine);
        link_.exchange_operation(operation);
        if (link_.failed()) return false;
        ByteReader first_reader(everyones[0]);
        const Call first = first_reader.read<Call>();
        for (std::size_t rank = 1; rank < everyones.size(); ++rank) {
            ByteReader reader(everyones[rank]);
            const Call other = reader.read<Call>();
            if (other == first) continue;
            link_.fail(std::make_exception_ptr(CollectiveMismatch(
                "process 0 calls " + describe(first) + " and process " + std::to_string(rank) + " calls " +
                    describe(other) + "; all workers must make the same calls with the same sizes",
                Place{.process = static_cast<std::int64_t>(rank)})));
            return false;
        }
        return true;
    }

    static std::string describe(const Call& call) {
        switch (call.operation) {
            case 1:
                return std::string("all_reduce (") + (call.detail == 0 ? "sum" : "maximum") + " of " +
                       std::to_string(call.length) + " words)";
            case 2: return "all_gather";
            case 4: return "all_to_all";
            default: return "broadcast from worker " + std::to_string(call.detail);
        }
    }

    Link& link_;
    Policy inner_;
};

}  // namespace partita::inline PARTITA_ABI
