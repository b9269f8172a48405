// An exclusive lock on an open file, for TypeScript's own rare critical sections across processes (the registry's writer).
// The kernel frees it when the descriptor is closed or its process dies.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "addon/addon.h"

namespace tw::addon {
namespace {

// tryLockFile(fd): false when another descriptor holds it.
Napi::Value TryLockFile(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsNumber()) throw Napi::TypeError::New(info.Env(), "tryLockFile(fd: number)");
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (fcntl(info[0].As<Napi::Number>().Int32Value(), F_OFD_SETLK, &lock) == 0) return Napi::Boolean::New(info.Env(), true);
  if (errno == EAGAIN || errno == EACCES || errno == EINTR) return Napi::Boolean::New(info.Env(), false);
  throw Napi::Error::New(info.Env(), std::string("the file cannot be locked: ") + std::strerror(errno));
}

}  // namespace

void RegisterLock(Napi::Env env, Napi::Object exports) {
  exports.Set("tryLockFile", Napi::Function::New(env, TryLockFile, "tryLockFile"));
}

}  // namespace tw::addon
