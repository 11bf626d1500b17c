// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>

#include <memory>

namespace partita::inline PARTITA_ABI::detail {

/// A kernel with its working memory inside a state. It is no part of the state's value: a copy begins without one and makes its
/// own, so that states on several threads never share it.
template <class Kernel>
class Scratch {
  public:
    Scratch() = default;
    Scratch(const Scratch&) noexcept {}
    Scratch(Scratch&&) noexcept = default;
    Scratch& operator=(const Scratch&) noexcept {
        kernel_.reset();
        return *this;
    }
    Scratch& operator=(Scratch&&) noexcept = default;

    /// The kernel, made of these arguments where there is none yet.
    template <class... Arguments>
    Kernel& get(const Arguments&... arguments) {
        if (!kernel_) kernel_ = std::make_unique<Kernel>(arguments...);
        return *kernel_;
    }

  private:
    std::unique_ptr<Kernel> kernel_;
};

}  // namespace partita::inline PARTITA_ABI::detail
