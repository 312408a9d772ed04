namespace Aspire.Hosting.Testing;

/// <summary>Changes the graph of an app host before a test starts it.</summary>
public interface IDistributedApplicationTestingBuilder : IDistributedApplicationBuilder, IAsyncDisposable, IDisposable
{
    /// <summary>Finishes the graph; the test starts it with <see cref="DistributedApplication.StartAsync"/>.</summary>
    Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default);
}
