{
  # Thin: native/CMakeLists.txt is the one truth. It is here so that a plain `npm install` builds the engine.
  "targets": [
    {
      "target_name": "tickwire_cmake",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake_js",
          "message": "building the native engine with cmake-js",
          "inputs": ["native/CMakeLists.txt", "<!@(node scripts/native-sources.mjs)"],
          "outputs": ["build/native/tickwire.node"],
          "action": ["node", "scripts/build-native.mjs"]
        }
      ]
    }
  ]
}
