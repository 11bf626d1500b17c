// SPDX-License-Identifier: Apache-2.0
#pragma once

// A function with a stack of its own that can stop in the middle and go on later, on one thread: a thousand simulated workers
// take turns so, without a thousand threads and without locks.

#include <partita/core/error.hpp>
#include <partita/core/version.hpp>
#include <partita/exec/function_ref.hpp>

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cxxabi.h>
#include <cstddef>
#include <cstdint>
#include <utility>

// The sanitizers must be told of every change of stacks.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PARTITA_DETAIL_FIBERS_UNDER_ASAN 1
#elif __has_feature(thread_sanitizer)
#define PARTITA_DETAIL_FIBERS_UNDER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define PARTITA_DETAIL_FIBERS_UNDER_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define PARTITA_DETAIL_FIBERS_UNDER_TSAN 1
#endif
#if defined(PARTITA_DETAIL_FIBERS_UNDER_ASAN)
#include <sanitizer/common_interface_defs.h>
#elif defined(PARTITA_DETAIL_FIBERS_UNDER_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace partita::inline PARTITA_ABI::detail {

/// Memory for a stack, with room in front of it that nothing may touch: more than the largest frame of a function, which could
/// step over a page. Pages that are never used cost nothing.
class FiberStack {
  public:
    FiberStack()
        : memory_(mmap(nullptr, guard_bytes + size_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
        if (memory_ == MAP_FAILED || mprotect(memory_, guard_bytes, PROT_NONE) != 0) {
            if (memory_ != MAP_FAILED) munmap(memory_, guard_bytes + size_bytes);
            throw InvalidSetting("there is no memory for the stacks of so many simulated workers; simulate fewer",
                                 Place{.setting = "workers"});
        }
    }
    FiberStack(const FiberStack&) = delete;
    FiberStack& operator=(const FiberStack&) = delete;
    ~FiberStack() { munmap(memory_, guard_bytes + size_bytes); }

    void* begin() const noexcept { return static_cast<std::byte*>(memory_) + guard_bytes; }
    static constexpr std::size_t size_bytes = std::size_t{1} << 20;

  private:
    static constexpr std::size_t guard_bytes = std::size_t{1} << 16;  // whole pages everywhere
    void* memory_;
};

/// Runs `body` from the first `resume` to its end, or to a `suspend` in it, behind which the next `resume` goes on. All on one
/// thread. It must have come to its end before it is destroyed; `body` throws nothing.
class Fiber {
  public:
    explicit Fiber(FunctionRef<void()> body) : body_(body) {
        getcontext(&own_);
        own_.uc_stack.ss_sp = stack_.begin();
        own_.uc_stack.ss_size = FiberStack::size_bytes;
        own_.uc_link = nullptr;
        const auto self = reinterpret_cast<std::uintptr_t>(this);  // makecontext passes numbers of 32 bits
        makecontext(&own_, reinterpret_cast<void (*)()>(&Fiber::enter), 2, static_cast<unsigned>(self >> 16 >> 16),
                    static_cast<unsigned>(self));
#if defined(PARTITA_DETAIL_FIBERS_UNDER_TSAN)
        tsan_own_ = __tsan_create_fiber(0);
#endif
    }
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;
#if defined(PARTITA_DETAIL_FIBERS_UNDER_TSAN)
    ~Fiber() { __tsan_destroy_fiber(tsan_own_); }
#endif

    /// Called from outside.
    void resume() {
        exchange_exceptions();
#if defined(PARTITA_DETAIL_FIBERS_UNDER_ASAN)
        void* fake_stack = nullptr;
        __sanitizer_start_switch_fiber(&fake_stack, stack_.begin(), FiberStack::size_bytes);
        swapcontext(&caller_, &own_);
        __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#elif defined(PARTITA_DETAIL_FIBERS_UNDER_TSAN)
        tsan_caller_ = __tsan_get_current_fiber();
        __tsan_switch_to_fiber(tsan_own_, 0);
        swapcontext(&caller_, &own_);
#else
        swapcontext(&caller_, &own_);
#endif
        exchange_exceptions();
    }

    /// Called from inside.
    void suspend() { leave(false); }

  private:
    static void enter(unsigned high, unsigned low) {
        Fiber& fiber = *reinterpret_cast<Fiber*>((static_cast<std::uintptr_t>(high) << 16 << 16) | low);
        fiber.arrive(nullptr);
        fiber.body_();
        fiber.leave(true);
    }

    void leave([[maybe_unused]] bool for_good) {
#if defined(PARTITA_DETAIL_FIBERS_UNDER_ASAN)
        void* fake_stack = nullptr;
        __sanitizer_start_switch_fiber(for_good ? nullptr : &fake_stack, caller_stack_, caller_stack_bytes_);
        swapcontext(&own_, &caller_);
        arrive(fake_stack);
#elif defined(PARTITA_DETAIL_FIBERS_UNDER_TSAN)
        __tsan_switch_to_fiber(tsan_caller_, 0);
        swapcontext(&own_, &caller_);
#else
        swapcontext(&own_, &caller_);
#endif
    }

    void arrive([[maybe_unused]] void* fake_stack) {
#if defined(PARTITA_DETAIL_FIBERS_UNDER_ASAN)
        __sanitizer_finish_switch_fiber(fake_stack, &caller_stack_, &caller_stack_bytes_);
#endif
    }

    /// The exceptions that are being handled belong to a stack, but the runtime keeps them by thread.
    struct Exceptions {
        void* caught = nullptr;
        unsigned uncaught = 0;
    };
    void exchange_exceptions() noexcept {
        std::swap(exceptions_, *reinterpret_cast<Exceptions*>(abi::__cxa_get_globals()));
    }

    FunctionRef<void()> body_;
    FiberStack stack_;
    ucontext_t own_{}, caller_{};
    Exceptions exceptions_;
#if defined(PARTITA_DETAIL_FIBERS_UNDER_ASAN)
    const void* caller_stack_ = nullptr;
    std::size_t caller_stack_bytes_ = 0;
#elif defined(PARTITA_DETAIL_FIBERS_UNDER_TSAN)
    void* tsan_own_ = nullptr;
    void* tsan_caller_ = nullptr;
#endif
};

}  // namespace partita::inline PARTITA_ABI::detail
