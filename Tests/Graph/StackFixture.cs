using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.Testing;
using MongoDB.Driver;
using Platform.Tests.Graph;
using Xunit;

[assembly: AssemblyFixture(typeof(StackFixture))]

namespace Platform.Tests.Graph;

/// <summary>
/// The app graph, started once for all tests of the run, on free ports and with a data directory of its own. What the start
/// took, step by step, is a diagnostic message of the run, and kept in <c>artifacts/test-results/graph-start.txt</c>.
/// </summary>
/// <remarks>
/// Tests leave each other alone: those that go through the API, which has the graph's one database, by working on products,
/// stores and tenants of their own; those that need a database have <see cref="OwnData{TClass}"/>.
/// </remarks>
public sealed class StackFixture : IAsyncLifetime
{
    // Seconds, on two processors that do nothing else. It is said, and not enforced: a test of time fails with its neighbours.
    private const double StartTarget = 12;

    private readonly TestStack _stack = new(dashboard: true);

    /// <summary>The running application.</summary>
    public DistributedApplication App => _stack.App;

    /// <summary>Where the graph's servers keep their data; the value of <see cref="TestStack.Mark"/> in its processes.</summary>
    public string DataDirectory => _stack.DataDirectory;

    /// <summary>When each step of the start was reached, after its beginning: "api healthy", "migrator finished".</summary>
    public IReadOnlyDictionary<string, TimeSpan> Timeline { get; private set; } = new Dictionary<string, TimeSpan>();

    /// <summary>A client of the API.</summary>
    public HttpClient Api { get; private set; } = null!;

    /// <summary>The database behind the API, as its administrator sees it.</summary>
    public IMongoDatabase Database { get; private set; } = null!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        await _stack.StartAsync(TestContext.Current.CancellationToken);
        Timeline = _stack.Timeline.ToDictionary(step => step.Step, step => step.After);
        await TellStartAsync();
        Api = new HttpClient(new PatientHandler()) { BaseAddress = App.GetEndpoint(ResourceNames.Api, "http") };
        var connectionString = await App.GetConnectionStringAsync(ResourceNames.Database);
        Database = StackClients.Mongo(connectionString).GetDatabase(ResourceNames.Database);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Api?.Dispose();
        await _stack.DisposeAsync();
    }

    private async Task TellStartAsync()
    {
        var steps = _stack.Timeline.ToList();
        var lines = steps.Select(step => string.Create(CultureInfo.InvariantCulture, $"{step.After.TotalSeconds,6:0.0} s  {step.Step}"));
        var results = Path.Combine(Repository.Root, "artifacts", "test-results");
        Directory.CreateDirectory(results);
        await File.WriteAllLinesAsync(Path.Combine(results, "graph-start.txt"), lines);
        TestContext.Current.SendDiagnosticMessage(string.Create(
            CultureInfo.InvariantCulture,
            $"The graph was ready after {steps[^1].After.TotalSeconds:0.0} s (target {StartTarget:0} s, load average {LoadAverage()}); the steps are in "
                + $"artifacts/test-results/graph-start.txt."));
    }

    private static string LoadAverage() => OperatingSystem.IsLinux() ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";
}
