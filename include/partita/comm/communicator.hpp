// SPDX-License-Identifier: Apache-2.0
#pragma once

// The concept that a communication policy models, and the face that everything above comm/ sees.

#include <partita/comm/all_to_all.hpp>
#include <partita/comm/consistency.hpp>
#include <partita/comm/link.hpp>
#include <partita/exec/function_ref.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// A communication policy: constructed from a Link, it says how numbers travel. `all_reduce` leaves in every worker's
/// words the reduction over all workers; `all_gather` gives every worker's bytes, of any size each, in the order of ranks.
/// Both must let every worker's input reach every worker, even where the numbers of some do not matter: errors travel with
/// them. `words` is never empty; who sends to whom must not depend on its length before every worker's messages have reached
/// every other, directly or not, because a worker with an error may bring another length: after that either all workers have
/// an error (Link::failed), and stop, or their vectors are equally long. A member `transport` names the type that starts the
/// workers; a policy may also define `void broadcast(Bytes&, std::size_t root)` and
/// `std::vector<Bytes> all_to_all(std::vector<Bytes>)`.
template <class Policy>
concept Communicator =
    std::constructible_from<Policy, Link&> &&
    requires(Policy& policy, std::span<std::int64_t> words, std::span<const std::byte> bytes, Reduction reduction) {
        typename Policy::transport;
        { policy.rank() } -> std::convertible_to<std::size_t>;
        { policy.size() } -> std::convertible_to<std::size_t>;
        policy.all_reduce(words, reduction);
        { policy.all_gather(bytes) } -> std::same_as<std::vector<Bytes>>;
    };

class PendingReductions;

namespace detail {

/// What serves other workers beside the collectives for as long as the communicator lives.
class Service {
  public:
    virtual ~Service() = default;
    /// Called when the worker comes to a collective: whatever unwound what is served did not end its work.
    virtual void go_on() noexcept = 0;
    /// Waits, at the end of a worker's body, until no other worker needs this one. Errors: what the run ended with meanwhile.
    virtual void finish() = 0;
};

}  // namespace detail

/// A worker's collectives, whatever the policy: one virtual call each. All workers make the same calls in the same order,
/// each from one thread at a time. Every call takes an error that the worker has run into instead of its data: then all
/// workers throw that error (of several: the one of the lowest block, then of the lowest rank), the worker it came from
/// throws the original, and the communicator can be used again.
class CommunicatorBase {
  public:
    CommunicatorBase(const CommunicatorBase&) = delete;
    CommunicatorBase& operator=(const CommunicatorBase&) = delete;
    virtual ~CommunicatorBase() = default;

    std::size_t rank() const noexcept { return link_.rank(); }
    std::size_t size() const noexcept { return link_.size(); }

    /// words[i] becomes the reduction of all workers' words[i]; all bring equally many. With an error, `words` is undefined.
    void all_reduce(std::span<std::int64_t> words, Reduction reduction = Reduction::sum,
                    const PendingError& pending = {}) {
        refuse_while_reserved();
        reduce_pending(words, reduction, pending);
    }

    /// Every worker's bytes, in the order of ranks.
    std::vector<Bytes> all_gather(std::span<const std::byte> mine, const PendingError& pending = {}) {
        std::vector<Bytes> gathered;
        collective(Operation::all_gather, pending, [&] { gathered = gather(mine); });
        return gathered;
    }

    /// `bytes` becomes what worker `root` brings.
    void broadcast(Bytes& bytes, std::size_t root = 0, const PendingError& pending = {}) {
        if (root >= size()) {
            throw InvalidSetting("broadcast from worker " + std::to_string(root) + " of " + std::to_string(size()) +
                                     "; workers count from 0",
                                 Place{.setting = "root"});
        }
        if (!spreads()) {
            std::vector<Bytes> gathered =
                all_gather(rank() == root ? std::span<const std::byte>(bytes) : std::span<const std::byte>{}, pending);
            bytes = std::move(gathered[root]);
            return;
        }
        agree(pending);  // a broadcast of the policy's own carries nothing to its root
        collective(Operation::broadcast, {}, [&] { spread(bytes, root); });
    }

    /// What every worker brings for this one, in the order of ranks: `outgoing[w]` is for worker w, of any size each.
    /// Errors: InvalidSetting where there are not as many as workers. Cost: every byte for another worker travels once.
    std::vector<Bytes> all_to_all(std::vector<Bytes> outgoing, const PendingError& pending = {}) {
        const PendingError checked = pending ? pending : attempt([&] {
            if (outgoing.size() != size())
                throw InvalidSetting("all_to_all of " + std::to_string(outgoing.size()) + " messages among " +
                                         std::to_string(size()) + " workers; give one for each worker",
                                     Place{.setting = "outgoing"});
        });
        std::vector<Bytes> incoming;
        collective(Operation::all_to_all, checked, [&] { incoming = exchange(std::move(outgoing)); });
        return incoming;
    }

    /// Meets all workers, and throws on all if one of them has an error.
    void agree(const PendingError& pending) { all_reduce({}, Reduction::sum, pending); }

    /// Waits until all workers are here.
    void barrier() { agree({}); }

    /// How the policy wants a ParameterTable to be kept.
    virtual TableConsistency table_consistency() const noexcept { return {}; }

    Link& link() noexcept { return link_; }
    std::unique_ptr<detail::Service>& service() noexcept { return service_; }
    /// The number of a table that is about to be made: the same on all workers, which make the same tables, whatever becomes of it.
    std::uint64_t next_table() noexcept { return ++tables_; }

  protected:
    explicit CommunicatorBase(Link& link) : link_(link) {}

    virtual void reduce(std::span<std::int64_t> words, Reduction reduction) = 0;
    virtual std::vector<Bytes> gather(std::span<const std::byte> mine) = 0;
    virtual bool spreads() const noexcept = 0;
    virtual void spread(Bytes& bytes, std::size_t root) = 0;
    virtual std::vector<Bytes> exchange(std::vector<Bytes> outgoing) = 0;

  private:
    friend class PendingReductions;

    /// An all-reduce that was announced by `reserved_for_`; perhaps from another thread, while the worker calls none itself.
    void reduce_pending(std::span<std::int64_t> words, Reduction reduction, const PendingError& pending) {
        std::int64_t none = 0;  // even where there is nothing to add, errors must travel
        if (words.empty()) words = {&none, 1};
        meet(Operation::all_reduce, pending, [&] { reduce(words, reduction); }, words.size());
    }

    void refuse_while_reserved() const {
        if (reserved_for_ == nullptr) return;
        throw CollectiveMismatch("process " + std::to_string(rank()) +
                                     " calls a collective while all-reduces that it has started are under way; call "
                                     "PendingReductions::wait first",
                                 Place{.process = static_cast<std::int64_t>(rank())});
    }

    void collective(Operation operation, const PendingError& pending, FunctionRef<void()> messages) {
        refuse_while_reserved();
        meet(operation, pending, messages);
    }

    void meet(Operation operation, const PendingError& pending, FunctionRef<void()> messages, std::size_t length = 0) {
        if (service_) service_->go_on();
        link_.begin(operation, pending, length);
        try {
            messages();
            link_.channel().settle();
        } catch (const detail::RunAbandoned& abandoned) {
            link_.merge(abandoned.error);
        } catch (const detail::Killed&) {
            throw;
        } catch (...) {  // the policy itself failed: the others can not be kept in step with it
            link_.channel().abandon(detail::write_error(std::current_exception(), -1, rank()));
            throw;
        }
        link_.finish();
    }

    Link& link_;
    const PendingReductions* reserved_for_ = nullptr;
    std::uint64_t tables_ = 0;
    std::unique_ptr<detail::Service> service_;
};

namespace detail {

/// What a policy says of tables, for policies that wrap it.
template <class Policy>
struct ConsistencyOf {
    static constexpr TableConsistency table = [] {
        if constexpr (requires { TableConsistency{Policy::consistency::table}; }) return Policy::consistency::table;
        else return TableConsistency{};
    }();
};

}  // namespace detail

/// The communicator of one policy.
template <Communicator Policy>
class CommunicatorOf final : public CommunicatorBase {
  public:
    explicit CommunicatorOf(Link& link) : CommunicatorBase(link), policy_(link) {}

    TableConsistency table_consistency() const noexcept override { return detail::ConsistencyOf<Policy>::table; }

  private:
    static constexpr bool has_broadcast =
        requires(Policy& policy, Bytes& bytes) { policy.broadcast(bytes, std::size_t{}); };

    void reduce(std::span<std::int64_t> words, Reduction reduction) override { policy_.all_reduce(words, reduction); }
    std::vector<Bytes> gather(std::span<const std::byte> mine) override {
        std::vector<Bytes> gathered = policy_.all_gather(mine);
        gathered.resize(size());  // after an error a policy may give anything
        return gathered;
    }
    bool spreads() const noexcept override { return has_broadcast; }
    void spread(Bytes& bytes, std::size_t root) override {
        if constexpr (has_broadcast) policy_.broadcast(bytes, root);
    }
    std::vector<Bytes> exchange(std::vector<Bytes> outgoing) override {
        std::vector<Bytes> incoming = detail::all_to_all_of(policy_, link(), std::move(outgoing));
        incoming.resize(size());  // after an error a policy may give anything
        return incoming;
    }

    Policy policy_;
};

}  // namespace partita::inline PARTITA_ABI
