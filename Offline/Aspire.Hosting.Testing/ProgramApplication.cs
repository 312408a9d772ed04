using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Testing;

/// <summary>The app of a program that runs it itself: starting lets the program go on, stopping and disposing end it.</summary>
internal sealed class ProgramApplication(AppHostProgram program, DistributedApplication inner)
    : DistributedApplication(new ProgramHost(program, inner))
{
    private sealed class ProgramHost(AppHostProgram program, DistributedApplication inner) : IHost, IAsyncDisposable
    {
        public IServiceProvider Services => inner.Services;

        public Task StartAsync(CancellationToken cancellationToken = default) => program.StartAsync(cancellationToken);

        public Task StopAsync(CancellationToken cancellationToken = default) => program.StopAsync(cancellationToken);

        public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

        public ValueTask DisposeAsync() => program.DisposeAsync();
    }
}
