using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Platform.Benchmarks;

/// <summary>What a service has around its client, with the options of services.</summary>
internal static class BenchmarkService
{
    /// <summary>Makes it. It is not started, and its own client is made only when somebody asks for it.</summary>
    public static IHost Create(BenchmarkServer server, params IEnumerable<(string Key, string Value)> settings)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true, ApplicationName = "Platform.Benchmarks" });
        builder.Configuration.AddInMemoryCollection(
        [
            new($"ConnectionStrings:{ResourceNames.Database}", server.ConnectionString),
            .. settings.Select(setting => KeyValuePair.Create<string, string?>(setting.Key, setting.Value)),
        ]);
        builder.AddPlatformData();
        return builder.Build();
    }
}
