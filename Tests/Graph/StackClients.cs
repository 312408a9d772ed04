using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Driver;
using Platform.AppHost.Security;
using Platform.Mongo.Connections;
using StackExchange.Redis;

namespace Platform.Tests.Graph;

/// <summary>Clients of a graph's servers, which are known by the stack's authority where they are reached by TLS.</summary>
internal static class StackClients
{
    /// <summary>A client for a connection string of the graph.</summary>
    public static MongoClient Mongo(string? connectionString) =>
        new(MongoTls.SettingsOf(connectionString ?? throw new InvalidOperationException("The replica set has no connection string.")));

    /// <summary>A client for a connection string of the graph, as another user, that waits for servers for two seconds.</summary>
    public static MongoClient MongoAs(string connectionString, string user, string password)
    {
        var settings = MongoTls.SettingsOf(connectionString);
        settings.Credential = MongoCredential.CreateCredential("admin", user, password);
        settings.ServerSelectionTimeout = TimeSpan.FromSeconds(2);
        return new(settings);
    }

    /// <summary>A connection string with another database. The driver's own builder leaves out what the driver has no use for.</summary>
    public static string InDatabase(string connectionString, string database)
    {
        const string option = "tlsCAFile=";
        var url = new MongoUrlBuilder(connectionString) { DatabaseName = database }.ToString();
        var begin = connectionString.IndexOf(option, StringComparison.Ordinal);
        return begin < 0 ? url : $"{url}&{connectionString[begin..].Split('&')[0]}";
    }

    /// <summary>How the cache's administrator connects.</summary>
    public static Task<ConfigurationOptions> CacheOptionsAsync(this DistributedApplication app, CancellationToken cancellationToken) =>
        ((IResourceWithConnectionString)app.Services.GetRequiredService<DistributedApplicationModel>().Resources
            .Single(resource => resource.Name == ResourceNames.Cache)).OptionsAsync("tests", cancellationToken);
}
