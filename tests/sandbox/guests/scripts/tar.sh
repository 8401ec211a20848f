mkdir s; echo in > s/f; tar -czf a.tgz s; mkdir o; tar -xzf a.tgz -C o --strip-components=1; cat o/f; tar -tzf a.tgz
