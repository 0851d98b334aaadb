// Verbs that need no host: key generate, key trust, key revoke, pack, sign, verify, extract.
#include "baton/verbs.h"
#include "bundle/bundle.h"
#include "bundle/keys.h"
#include "bundle/successor.h"

#include <boost/json/array.hpp>

namespace baton::cli {

namespace {

namespace json = boost::json;
using bundle::KeyDirectory;

constexpr std::uint32_t kSecretMode = 0600;
constexpr std::uint32_t kPublicMode = 0644;
constexpr std::uint32_t kRootMode = 0750;

KeyDirectory keys_of(Session& session) {
  return KeyDirectory(session.files, session.root + "/keys");
}

int outcome(Session& session, const Result<void>& result) {
  return result.ok() ? 0 : session.output.error(result.error());
}

// Puts the content where nothing is yet; an error leaves nothing there.
Result<void> write_new_file(Files& files, const std::string& path, std::string_view content,
                            std::uint32_t mode) {
  BATON_ASSIGN(ScopedFd fd, files.create(path, mode));
  Result<void> written = files.write(fd.get(), content);
  if (written.ok()) written = files.sync(fd.get());
  if (written.ok()) return {};
  (void)files.remove_file(path);  // the first error is the one to report
  return std::move(written).error().within("write " + path);
}

Result<void> generate_key(Session& session, const std::string& file) {
  for (const std::string& path : {file, file + ".pub"}) {
    BATON_ASSIGN(const auto there, session.files.facts(path));
    if (there)
      return Error(Code::kUsage,
                   path + " is there already; a key that is overwritten is lost for ever");
  }
  const auto key = bundle::SecretKey::generate();
  BATON_TRY(write_new_file(session.files, file, key.text(), kSecretMode));
  auto published =
      write_new_file(session.files, file + ".pub", key.public_key().text(), kPublicMode);
  if (!published.ok()) {
    (void)session.files.remove_file(file);  // half a pair is of no use
    return published;
  }
  const std::string id = key.public_key().id.text();
  session.output.line({{"key", id}, {"secret", file}, {"public", file + ".pub"}},
                      "key " + id + ": secret in " + file + ", public in " + file +
                          ".pub; let a host trust it with baton key trust " + file + ".pub");
  return {};
}

Result<void> trust_key(Session& session, const std::string& file) {
  BATON_ASSIGN(const std::string text, read_file(session.files, file, bundle::kKeyFileBytesMax));
  BATON_TRY(make_directories(session.files, session.root + "/keys", kRootMode));
  BATON_ASSIGN(const bundle::PublicKey key, keys_of(session).trust(text, file));
  session.output.line({{"key", key.id.text()}, {"root", session.root}},
                      "key " + key.id.text() + " is trusted by the host in " + session.root);
  return {};
}

Result<void> revoke_key(Session& session, const std::string& id) {
  BATON_TRY(keys_of(session).revoke(id));
  session.output.line({{"key", id}}, "key " + id + " is revoked");
  return {};
}

Result<void> list_keys(Session& session) {
  BATON_ASSIGN(const bundle::TrustedKeys keys, keys_of(session).load());
  json::array data;
  std::vector<std::vector<std::string>> rows;
  const auto add = [&](const bundle::PublicKey& key, const char* status) {
    data.push_back(json::object{{"key", key.id.text()}, {"status", status}});
    rows.push_back({key.id.text(), status});
  };
  for (const auto& key : keys.trusted) add(key, "trusted");
  for (const auto& key : keys.revoked) add(key, "revoked");
  session.output.table(data, {"KEY", "STATUS"}, rows);
  return {};
}

Result<bundle::SecretKey> read_secret(Session& session, const std::string& file) {
  BATON_ASSIGN(const std::string text, read_file(session.files, file, bundle::kKeyFileBytesMax));
  return bundle::SecretKey::parse(text, file);
}

struct PackArguments {
  std::string description, modules, key, output, expires, from;
};

// On a refusal the packed file is gone.
Result<void> check_takes_over(Session& session, const std::string& from,
                              const bundle::Manifest& packed, const std::string& file) {
  const auto checked = [&]() -> Result<void> {
    BATON_ASSIGN(const bundle::Bundle before, bundle::Bundle::open_unverified(session.files, from));
    return bundle::check_successor(before.manifest(), packed);
  }();
  if (!checked.ok()) (void)session.files.remove_file(file);
  return checked;
}

Result<void> pack(Session& session, PackArguments arguments) {
  BATON_ASSIGN(const bundle::SecretKey key, read_secret(session, arguments.key));
  bundle::PackOptions options;
  options.description_file = arguments.description;
  options.modules_directory = arguments.modules;
  options.output = arguments.output;
  // One that is refused replaces nothing.
  if (!arguments.from.empty()) options.output += ".unchecked";
  options.key = &key;
  if (!arguments.expires.empty()) {
    BATON_ASSIGN(options.expires, parse_time(arguments.expires));
  }
  BATON_ASSIGN(const bundle::Packed packed, bundle::pack(session.files, options));
  if (!arguments.from.empty()) {
    BATON_TRY(check_takes_over(session, arguments.from, packed.manifest, options.output));
    BATON_TRY(session.files.rename(options.output, arguments.output));
  }
  const auto& release = packed.manifest.release;
  session.output.line({{"bundle", arguments.output},
                       {"name", release.name},
                       {"version", release.version},
                       {"digest", packed.digest.hex()},
                       {"size", packed.size}},
                      arguments.output + ": " + release.name + " " + release.version + ", " +
                          std::to_string(packed.manifest.modules.size()) + " modules, " +
                          std::to_string(packed.size) + " bytes, manifest " + packed.digest.hex());
  return {};
}

Result<void> sign_bundle(Session& session, const std::string& file, const std::string& key_file) {
  BATON_ASSIGN(const bundle::SecretKey key, read_secret(session, key_file));
  BATON_TRY(bundle::sign(session.files, file, key));
  const std::string id = key.public_key().id.text();
  session.output.line({{"bundle", file}, {"key", id}}, file + " is signed by " + id);
  return {};
}

// The keys to verify by: a file that is named, else those that the host in the root trusts.
Result<bundle::TrustedKeys> verifying_keys(Session& session, const std::string& public_key) {
  if (public_key.empty()) return keys_of(session).load();
  BATON_ASSIGN(const std::string text,
               read_file(session.files, public_key, bundle::kKeyFileBytesMax));
  BATON_ASSIGN(const bundle::PublicKey key, bundle::PublicKey::parse(text, public_key));
  return bundle::TrustedKeys{{key}, {}};
}

Result<void> verify(Session& session, const std::string& file, const std::string& public_key) {
  BATON_ASSIGN(const bundle::TrustedKeys keys, verifying_keys(session, public_key));
  BATON_ASSIGN(bundle::Bundle opened, bundle::Bundle::open(session.files, file, keys));
  BATON_TRY(opened.check_payload());
  const auto& release = opened.manifest().release;
  session.output.line({{"bundle", file},
                       {"name", release.name},
                       {"version", release.version},
                       {"key", opened.signer()->key.text()},
                       {"digest", opened.digest().hex()}},
                      file + ": " + release.name + " " + release.version + ", signed by " +
                          opened.signer()->key.text() + ", every file as its manifest says");
  return {};
}

Result<void> extract(Session& session, const std::string& file, const std::string& public_key,
                     const std::string& directory) {
  BATON_ASSIGN(const bundle::TrustedKeys keys, verifying_keys(session, public_key));
  BATON_ASSIGN(bundle::Bundle opened, bundle::Bundle::open(session.files, file, keys));
  BATON_ASSIGN(const auto there, session.files.facts(directory));
  if (there) return Error(Code::kUsage, directory + " is there already; name a new directory");
  BATON_TRY(make_directories(session.files, directory));
  BATON_TRY(opened.extract(directory));
  session.output.line({{"bundle", file}, {"directory", directory}}, file + " is in " + directory);
  return {};
}

// The manifest of a bundle, whoever signed it.
Result<void> describe_bundle(Session& session, const std::string& file) {
  BATON_ASSIGN(const bundle::Bundle opened, bundle::Bundle::open_unverified(session.files, file));
  const auto& release = opened.manifest().release;
  json::array modules;
  std::string names;
  for (const auto& module : opened.manifest().modules) {
    modules.push_back(json::object{{"name", module.name},
                                   {"version", module.version},
                                   {"build", module.build},
                                   {"build_id", module.build_id}});
    names += (names.empty() ? "" : ", ") + module.name + " " + module.version;
  }
  session.output.facts(
      json::object{{"name", release.name},
                   {"version", release.version},
                   {"sequence", release.sequence},
                   {"channel", release.channel},
                   {"digest", opened.digest().hex()},
                   {"signed", !opened.signature_text().empty()},
                   {"modules", std::move(modules)}},
      {{"release", release.name + " " + release.version},
       {"sequence", std::to_string(release.sequence)},
       {"channel", release.channel},
       {"modules", names},
       {"manifest", opened.digest().hex()},
       {"signature",
        opened.signature_text().empty() ? "none" : "not checked here; see baton verify"}});
  return {};
}

}  // namespace

int show_bundle(Session& session, const std::string& file) {
  return outcome(session, describe_bundle(session, file));
}

void add_bundle_verbs(CLI::App& app, Session& session) {
  auto file = std::make_shared<std::string>();
  auto key = std::make_shared<std::string>();
  auto directory = std::make_shared<std::string>();

  CLI::App* keys = app.add_subcommand("key", "Keys that sign bundles, and those a host trusts");
  keys->require_subcommand(1);
  CLI::App* generate = keys->add_subcommand("generate", "Make a key pair: FILE and FILE.pub");
  generate->add_option("file", *file, "The secret key's file")->required();
  generate->callback([&session, file] {
    session.run = [&session, file] { return outcome(session, generate_key(session, *file)); };
  });
  CLI::App* trust = keys->add_subcommand("trust", "Let the host in --root trust a public key");
  trust->add_option("file", *file, "The public key's file")->required();
  trust->callback([&session, file] {
    session.run = [&session, file] { return outcome(session, trust_key(session, *file)); };
  });
  CLI::App* revoke = keys->add_subcommand("revoke", "Never trust a key again");
  revoke->add_option("id", *key, "The key's id")->required();
  revoke->callback([&session, key] {
    session.run = [&session, key] { return outcome(session, revoke_key(session, *key)); };
  });
  keys->add_subcommand("list", "The keys of the host in --root")->callback([&session] {
    session.run = [&session] { return outcome(session, list_keys(session)); };
  });

  auto packing = std::make_shared<PackArguments>();
  CLI::App* pack_verb = app.add_subcommand("pack", "Pack and sign a release bundle");
  pack_verb->add_option("description", packing->description, "The release's YAML file")->required();
  pack_verb->add_option("--modules", packing->modules, "Directory with NAME/VERSION/NAME.so")
      ->required();
  pack_verb->add_option("--key", packing->key, "Secret key to sign with")->required();
  pack_verb->add_option("--output", packing->output, "The bundle's file")->required();
  pack_verb->add_option("--from", packing->from,
                        "A bundle that it has to take over from: refused if a state or a message "
                        "of that one has no place in this");
  pack_verb->add_option("--expires", packing->expires,
                        "When hosts stop to take it, such as 2030-01-31T00:00:00Z");
  pack_verb->footer(
      "Packing the same input twice gives the same bytes. See releases/README.md for the "
      "description's format.\n"
      "Example:\n"
      "  baton pack releases/demo-1.0.0.yaml --modules build/modules --key mine.key --output "
      "demo-1.0.0.baton");
  pack_verb->callback([&session, packing] {
    session.run = [&session, packing] { return outcome(session, pack(session, *packing)); };
  });

  CLI::App* sign = app.add_subcommand("sign", "Put another signature into a bundle");
  sign->add_option("bundle", *file, "The bundle's file")->required();
  sign->add_option("--key", *key, "Secret key to sign with")->required();
  sign->callback([&session, file, key] {
    session.run = [&session, file, key] {
      return outcome(session, sign_bundle(session, *file, *key));
    };
  });

  CLI::App* verify_verb =
      app.add_subcommand("verify", "Check a bundle: signature, manifest, files");
  verify_verb->add_option("bundle", *file, "The bundle's file")->required();
  verify_verb->add_option("--key", *key, "Public key to check by (default: the host's)");
  verify_verb->callback([&session, file, key] {
    session.run = [&session, file, key] { return outcome(session, verify(session, *file, *key)); };
  });

  CLI::App* extract_verb = app.add_subcommand("extract", "Verify a bundle and unpack its files");
  extract_verb->add_option("bundle", *file, "The bundle's file")->required();
  extract_verb->add_option("directory", *directory, "A new directory")->required();
  extract_verb->add_option("--key", *key, "Public key to check by (default: the host's)");
  extract_verb->callback([&session, file, key, directory] {
    session.run = [&session, file, key, directory] {
      return outcome(session, extract(session, *file, *key, *directory));
    };
  });
}

}  // namespace baton::cli
