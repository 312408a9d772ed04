using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MongoDB.Driver;
using Platform.Mongo.Connections;
using Platform.Monitor.Queries;
using Platform.Monitor.Settings;

namespace Platform.Monitor.Collectors;

/// <summary>The collectors, of what the connection strings and directories name.</summary>
internal static class CollectorServices
{
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Registers those whose subject there is: MongoDB with <c>ConnectionStrings:platform</c>, Redis with <c>ConnectionStrings:cache</c>, and the disks.
    /// </summary>
    public static void AddCollectors(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton<CollectedMetrics>();
        services.AddSingleton<SlowQueryLog>();
        services.AddSingleton<ICollector, DiskCollector>();
        if (builder.Configuration.GetConnectionString(ResourceNames.Database) is { Length: > 0 } mongo)
        {
            var name = MongoUrl.Create(mongo).DatabaseName ?? ResourceNames.Database;
            var passwords = builder.Configuration["Mongo:PasswordFile"];
            services.AddSingleton(provider => new MongoMembers(mongo, PatienceOf(provider), passwords));
            services.AddSingleton<ICollector, MongoCollector>();
            services.AddSingleton<ICollector>(_ => new DatabaseCollector(Client(mongo, passwords).GetDatabase(name)));
            services.AddSingleton<ICollector>(provider => new SlowQueryCollector(
                provider.GetRequiredService<MongoMembers>(), name, provider.GetRequiredService<IOptions<MonitorOptions>>().Value.Profiler,
                provider.GetRequiredService<SlowQueryLog>(), provider.GetRequiredService<ILogger<SlowQueryCollector>>()));
        }

        if (builder.Configuration.GetConnectionString(ResourceNames.Cache) is { Length: > 0 } redis)
        {
            var authority = builder.Configuration["Cache:TlsCaFile"];
            var passwords = builder.Configuration["Cache:PasswordFile"];
            services.AddSingleton<ICollector>(provider => new RedisCollector(redis, authority, PatienceOf(provider), passwords));
        }

        services.AddHostedService<CollectorService>();
    }

    // Two questions, one after the other, are answered or given up within a round.
    private static TimeSpan PatienceOf(IServiceProvider provider)
    {
        var part = provider.GetRequiredService<IOptions<MonitorOptions>>().Value.Interval * 0.4;
        return part < s_longest ? part : s_longest;
    }

    private static MongoClient Client(string connectionString, string? passwordFile)
    {
        var settings = MongoTls.SettingsOf(connectionString);
        settings.LogInBy(passwordFile);
        settings.ApplicationName = MongoMembers.ApplicationName;
        settings.ReadPreference = ReadPreference.PrimaryPreferred;
        settings.ServerSelectionTimeout = TimeSpan.FromSeconds(5);
        settings.MaxConnectionPoolSize = 2;
        return new(settings);
    }
}
