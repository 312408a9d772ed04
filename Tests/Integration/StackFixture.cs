using Aspire.Hosting;
using Aspire.Hosting.Testing;
using MongoDB.Driver;
using Platform.Tests.Integration;
using Xunit;

[assembly: AssemblyFixture(typeof(StackFixture))]

namespace Platform.Tests.Integration;

/// <summary>
/// The app graph, started once for all tests of the run, on free ports and with a data directory of its own. Tests leave
/// each other alone by working on products and tenants of their own.
/// </summary>
public sealed class StackFixture : IAsyncLifetime
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3);

    private readonly TestStack _stack = new(dashboard: true);

    /// <summary>The running application.</summary>
    public DistributedApplication App => _stack.App;

    /// <summary>A client of the API.</summary>
    public HttpClient Api { get; private set; } = null!;

    /// <summary>The database behind the API, as its administrator sees it.</summary>
    public IMongoDatabase Database { get; private set; } = null!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        using var limit = new CancellationTokenSource(StartLimit);
        await _stack.StartAsync(limit.Token);
        Api = App.CreateHttpClient(ResourceNames.Api, "http");
        var connectionString = await App.GetConnectionStringAsync(ResourceNames.Database, limit.Token);
        Database = new MongoClient(connectionString).GetDatabase(ResourceNames.Database);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Api?.Dispose();
        await _stack.DisposeAsync();
    }
}
