{
  "variables": {
    "hardening": [
      "-fstack-protector-strong",
      "-U_FORTIFY_SOURCE",
      "-D_FORTIFY_SOURCE=3",
      "-fvisibility=hidden",
      "-fno-gnu-unique",
      "-ffunction-sections",
      "-fdata-sections"
    ],
    "hardening_x64": ["-fcf-protection=full"],
    "hardening_arm64": ["-mbranch-protection=standard"],
    "warnings": ["-Wall", "-Wextra", "-Werror"],
    "standard": ["-std=gnu++20", "-O2", "-fno-exceptions", "-fno-rtti", "-fvisibility-inlines-hidden"],
    "liburing%": "<!(sh native/liburing.sh)",
    "link": [
      "-static-libstdc++",
      "-Wl,--exclude-libs,ALL",
      "-Wl,-z,relro",
      "-Wl,-z,now",
      "-Wl,-z,noexecstack",
      "-Wl,--gc-sections"
    ],
    "defines": ["NAPI_VERSION=9", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS", "_FILE_OFFSET_BITS=64"]
  },
  "targets": [
    {
      "target_name": "dirfd",
      "sources": ["<!@(cat native/sources.txt)"],
      "defines": ["<@(defines)"],
      "cflags": ["-iquote", "<(module_root_dir)/native", "<@(warnings)", "<@(hardening)"],
      "cflags_cc": ["-isystem", "<!(node -p \"path.dirname(require.resolve('node-addon-api'))\")", "<@(standard)"],
      "ldflags": ["<@(link)"],
      "conditions": [
        ["liburing!=''", { "defines": ["DIRFD_LIBURING"], "libraries": ["<(liburing)"] }],
        ["target_arch==\"x64\"", { "cflags": ["<@(hardening_x64)"] }],
        ["target_arch==\"arm64\"", { "cflags": ["<@(hardening_arm64)"] }]
      ]
    }
  ]
}
