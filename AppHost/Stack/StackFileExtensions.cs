using Microsoft.Extensions.DependencyInjection;
using Platform.AppHost.Settings;

namespace Platform.AppHost.Stack;

internal static class StackFileExtensions
{
    /// <summary>
    /// Keeps <see cref="PlatformOptions.StackFile"/> up to date while the stack runs: its state, its engine, its
    /// addresses and the state of every resource, and beside it in <c>logs/</c> the console output of each. Both can be
    /// read by their owner only, since connection strings hold passwords. Does nothing without a stack file.
    /// </summary>
    public static void RecordStack(this IDistributedApplicationBuilder builder, PlatformOptions options)
    {
        if (options.StackFile is { } file)
        {
            builder.Services.AddHostedService(
                services => ActivatorUtilities.CreateInstance<StackFile>(services, file, options));
        }
    }
}
