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

  Result<void> start(const description::ReleaseDescription& release) override;
  Result<void> change(const description::ReleaseDescription& from,
                      const description::ReleaseDescription& to) override;
  void stop() override;
  void expect_check(std::uint16_t port) const override { net_.expect_check(port); }
  void forget_check(std::uint16_t port) const override { net_.forget_check(port); }
  std::string listener_address(const std::string& name) const override;
  std::uint64_t samples() const override;

 private:
  Result<void> change_listeners(const description::ReleaseDescription& from,
                                const description::ReleaseDescription& to);
  Result<void> change_applications(const description::ReleaseDescription& from,
                                   const description::ReleaseDescription& to);
  Result<void> change_application(const description::ApplicationDescription& from,
                                  const description::ApplicationDescription& to);
  void close_listeners(const description::ReleaseDescription& from,
                       const description::ReleaseDescription& to);

  behaviour::Applications& applications_;
  net::Net& net_;
  term::AtomTable& atoms_;
};

}  // namespace baton::node
