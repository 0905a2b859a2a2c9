// SPDX-License-Identifier: MIT
#include "node/front/cluster/router.h"

#include "common/client/placed_objects.h"
#include "common/client/remote_node.h"
#include "node/front/cluster/gated_objects.h"

namespace aisfs::cluster {

class Router::Impl {
 public:
  explicit Impl(RouterDeps deps)
      : deps_(std::move(deps)),
        placed_(
            deps_.maps,
            [this](const NodeInfo& node) { return at(node); },
            deps_.operation_timeout,
            Naming::kLogical,
            id_if_storing()),
        by_place_(
            deps_.maps,
            [this](const NodeInfo& node) { return at(node); },
            deps_.operation_timeout,
            Naming::kPhysical,
            id_if_storing()),
        anywhere_(placed_, deps_.maps, ""),
        places_(by_place_, deps_.maps, "") {
    if (deps_.local != nullptr) here_.emplace(*deps_.local, deps_.maps, deps_.node_id);
  }

  std::shared_ptr<ObjectApi> at(const NodeInfo& node) {
    if (node.id == deps_.node_id && deps_.local != nullptr) {
      return {std::shared_ptr<void>(), deps_.local};  // not owned
    }
    return std::make_shared<RemoteNode>(deps_.peers, node);
  }

  ObjectApi& anywhere() { return anywhere_; }
  ObjectApi& places() { return places_; }
  ObjectApi* here() { return here_ ? &*here_ : nullptr; }

 private:
  std::string id_if_storing() const {
    return deps_.local != nullptr ? deps_.node_id : std::string();
  }

  RouterDeps deps_;
  PlacedObjects placed_, by_place_;
  GatedObjects anywhere_, places_;
  std::optional<GatedObjects> here_;
};

Router::Router(RouterDeps deps) : impl_(std::make_unique<Impl>(std::move(deps))) {}
Router::~Router() = default;
ObjectApi& Router::anywhere() { return impl_->anywhere(); }
ObjectApi& Router::places() { return impl_->places(); }
ObjectApi* Router::here() { return impl_->here(); }
std::shared_ptr<ObjectApi> Router::at(const NodeInfo& node) { return impl_->at(node); }

}  // namespace aisfs::cluster
