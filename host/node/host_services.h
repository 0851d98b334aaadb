// HostServices: the applications and listeners of this host, as the release handler drives them.
//
// Threads: the release handler's; samples and listener_address: any.
#pragma once

#include "behaviour/application.h"
#include "net/net.h"
#include "release/services.h"

namespace baton::node {

class HostServices : public release::Services {
 public:
  HostServices(behaviour::Applications& applications, net::Net& net, term::AtomTable& atoms)
      : applications_(applications), net_(net), atoms_(atoms) {}

  Result<void> start(const bundle::ReleaseDescription& release) override;
  Result<void> change(const bundle::ReleaseDescription& from,
                      const bundle::ReleaseDescription& to) override;
  void stop() override;
  std::string listener_address(const std::string& name) const override;
  std::uint64_t samples() const override;

 private:
  Result<void> change_listeners(const bundle::ReleaseDescription& from,
                                const bundle::ReleaseDescription& to);
  Result<void> change_applications(const bundle::ReleaseDescription& from,
                                   const bundle::ReleaseDescription& to);
  Result<void> change_application(const bundle::ApplicationDescription& from,
                                  const bundle::ApplicationDescription& to);
  void close_listeners(const bundle::ReleaseDescription& from,
                       const bundle::ReleaseDescription& to);

  behaviour::Applications& applications_;
  net::Net& net_;
  term::AtomTable& atoms_;
};

}  // namespace baton::node
