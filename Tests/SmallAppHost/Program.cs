var builder = DistributedApplication.CreateBuilder(args);

// A server that listens on nothing, but whose endpoint has an address.
builder.AddExecutable("server", "/bin/sh", ".", "-c", "echo ready; echo careful >&2; exec sleep 600")
    .WithEndpoint(targetPort: null, port: 23456, scheme: "tcp", name: "tcp", env: "PORT");

var job = builder.AddExecutable("job", "/bin/sh", ".", "-c", "echo working; exit ${CODE}")
    .WithEnvironment("CODE", builder.Configuration["Small:JobExitCode"] ?? "0");

builder.AddExecutable("after", "/bin/sh", ".", "-c", "exec sleep 600")
    .WaitForCompletion(job);

await builder.Build().RunAsync();
