using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Testing;

/// <summary>
/// The app of a program that runs it itself: starting lets the program go on, stopping and disposing end it. The services are those of
/// the program's app.
/// </summary>
internal sealed class ProgramApplication(AppHostProgram program, DistributedApplication inner) : DistributedApplication(inner)
{
    public override Task StartAsync(CancellationToken cancellationToken = default) => program.StartAsync(cancellationToken);

    public override Task StopAsync(CancellationToken cancellationToken = default) => program.StopAsync(cancellationToken);

    public override async Task RunAsync(CancellationToken cancellationToken = default)
    {
        await StartAsync(cancellationToken);
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var lifetime = Services.GetRequiredService<IHostApplicationLifetime>();
        await using var onStopping = lifetime.ApplicationStopping.Register(() => stopping.TrySetResult());
        await using var onCancelled = cancellationToken.Register(() => stopping.TrySetResult());
        await stopping.Task;
        await StopAsync(CancellationToken.None);
    }

    public override async ValueTask DisposeAsync()
    {
        await program.DisposeAsync();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
