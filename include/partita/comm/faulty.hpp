// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/comm/communicator.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <thread>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// What Faulty does to a worker.
enum class FaultKind {
    error,  ///< it takes part in the collective with an error instead of data
    leave,  ///< it throws instead of taking part
    kill,   ///< it is gone, without a word
    delay,  ///< it comes late
};

/// One fault: at the collective number `call` (from 0) of worker `rank`.
struct Fault {
    std::size_t rank = 0;
    std::uint64_t call = 0;
    FaultKind kind = FaultKind::error;
    std::exception_ptr error{};  ///< what is thrown; null: InjectedFault
    double delay_seconds = 0;
};

/// What Faulty reads: give its address as `RunSettings::instruments.faults`.
struct FaultPlan {
    std::vector<Fault> faults;
};

/// What a faulty worker throws if the plan says nothing else.
class InjectedFault : public std::exception {
  public:
    const char* what() const noexcept override { return "a fault that a test asked for"; }
};

/// A policy whose workers fail as planned: `Faulty<TreeAggregate<>>`. For tests.
template <Communicator Policy>
class Faulty {
  public:
    using transport = typename Policy::transport;
    using consistency = detail::ConsistencyOf<Policy>;

    explicit Faulty(Link& link) : link_(link), inner_(link) {}
    std::size_t rank() const { return inner_.rank(); }
    std::size_t size() const { return inner_.size(); }

    void all_reduce(std::span<std::int64_t> words, Reduction reduction) {
        suffer();
        inner_.all_reduce(words, reduction);
    }
    std::vector<Bytes> all_gather(std::span<const std::byte> mine) {
        suffer();
        return inner_.all_gather(mine);
    }
    void broadcast(Bytes& bytes, std::size_t root)
        requires requires(Policy& policy) { policy.broadcast(bytes, root); }
    {
        suffer();
        inner_.broadcast(bytes, root);
    }
    std::vector<Bytes> all_to_all(std::vector<Bytes> outgoing) {
        suffer();
        return detail::all_to_all_of(inner_, link_, std::move(outgoing));
    }

  private:
    void suffer() {
        const std::uint64_t call = calls_++;
        if (link_.instruments().faults == nullptr) return;
        for (const Fault& fault : link_.instruments().faults->faults) {
            if (fault.rank != rank() || fault.call != call) continue;
            const std::exception_ptr error = fault.error ? fault.error : std::make_exception_ptr(InjectedFault{});
            switch (fault.kind) {
                case FaultKind::error: link_.fail(error); break;
                case FaultKind::leave: std::rethrow_exception(error);
                case FaultKind::kill: link_.channel().kill(); break;
                case FaultKind::delay:
                    std::this_thread::sleep_for(std::chrono::duration<double>(fault.delay_seconds));
                    break;
            }
        }
    }

    Link& link_;
    Policy inner_;
    std::uint64_t calls_ = 0;
};

}  // namespace partita::inline PARTITA_ABI
