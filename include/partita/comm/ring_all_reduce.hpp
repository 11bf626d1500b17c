// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/comm/communicator.hpp>
#include <partita/comm/halving_doubling.hpp>
#include <partita/comm/in_process.hpp>
#include <partita/comm/shares.hpp>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// What one worker sends another at a step of the ring: see SharedSlots::slot_bytes.
inline constexpr std::size_t ring_part_bytes = std::size_t{32} << 10;
/// The longest vectors for which only the number of steps counts.
inline constexpr std::size_t doubling_up_to_bytes = std::size_t{2} << 10;

}  // namespace detail

/// Long vectors go round: every worker sends to the next one only and receives from the one before. In P-1 steps every worker comes
/// to hold the reduction of one P-th of a segment, in P-1 more the parts go round; segments follow one another so closely that
/// a worker reduces one while others are under way, and so short that they stay in the cache meanwhile. 2(P-1)/P of the vector
/// is sent by each worker, which no algorithm undercuts. Before that, all agree that they are about to do it, in
/// ceil(log2 P) steps without data. Vectors below RunSettings::ring_from_bytes are reduced by recursive halving and doubling instead,
/// the shortest by doubling alone.
/// Source: Patarasuk and Yuan, Bandwidth optimal all-reduce algorithms for clusters of workstations, 2009.
template <class Transport = InProcess>
class RingAllReduce {
  public:
    using transport = Transport;

    explicit RingAllReduce(Link& link) : link_(link), short_(link) {}
    std::size_t rank() const noexcept { return link_.rank(); }
    std::size_t size() const noexcept { return link_.size(); }

    void all_reduce(std::span<std::int64_t> words, Reduction reduction) {
        if (size() == 1) return;
        if (words.size() < 2 * size() || words.size_bytes() < link_.ring_from_bytes()) {
            // Between two, doubling sends no more than halving, in half the steps.
            if (size() < 4 || words.size() < 2 * size() || words.size_bytes() <= detail::doubling_up_to_bytes)
                short_.exchange_all(words, reduction);
            else short_.halve_and_double(words, reduction);
        } else if (short_.agree()) {
            go_round(words, reduction);
        }
    }

    std::vector<Bytes> all_gather(std::span<const std::byte> mine) {
        std::vector<Bytes> gathered(size());
        gathered[rank()].assign(mine.begin(), mine.end());
        for (std::size_t step = 0; step + 1 < size(); ++step) {
            link_.send(next(), gathered[back(step)]);
            gathered[back(step + 1)] = link_.receive(previous());
        }
        return gathered;
    }

  private:
    std::size_t next() const noexcept { return rank() + 1 == size() ? 0 : rank() + 1; }
    std::size_t previous() const noexcept { return rank() == 0 ? size() - 1 : rank() - 1; }
    /// The rank so many places before this one; up to 2·P places.
    std::size_t back(std::size_t places) const noexcept { return (rank() + 2 * size() - places) % size(); }

    /// Segments set out one after the other; each makes a step of its way at a time, and the next one sets out when it is halfway.
    void go_round(std::span<std::int64_t> words, Reduction reduction) {
        const std::size_t steps = 2 * (size() - 1), apart = size() - 1;
        const std::size_t segment_words = size() * detail::ring_part_bytes / sizeof(std::int64_t);
        const std::size_t segments = (words.size() + segment_words - 1) / segment_words;
        for (std::size_t time = 0; time <= (segments - 1) * apart + steps; ++time) {
            const std::size_t first = time < steps ? 0 : (time - steps + apart - 1) / apart;
            for (std::size_t number = first; number < segments && number * apart <= time; ++number) {
                const Share share = share_of(words.size(), number, segments);
                make_step(words.subspan(share.first, share.count), time - number * apart, steps, reduction);
            }
        }
    }

    /// A part that has come is sent on at once, while it is in the cache.
    void make_step(std::span<std::int64_t> segment, std::size_t step, std::size_t steps, Reduction reduction) {
        const std::span<std::int64_t> part = part_of(segment, back(step < size() ? step : step - size()));
        if (step >= size()) link_.receive(previous(), part);
        else if (step > 0) link_.combine(previous(), part, reduction);
        if (step < steps) link_.send(next(), part);
    }

    std::span<std::int64_t> part_of(std::span<std::int64_t> segment, std::size_t owner) const {
        const Share share = share_of(segment.size(), owner, size());
        return segment.subspan(share.first, share.count);
    }

    Link& link_;
    detail::HalvingDoubling short_;
};

}  // namespace partita::inline PARTITA_ABI
