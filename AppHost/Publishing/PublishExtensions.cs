using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.AppHost.Publishing;

internal static class PublishExtensions
{
    private const string ComposeFileName = "compose.yaml";

    /// <summary>
    /// Makes <c>aspire publish</c> write the graph into its output directory: as a Compose file, and as Aspire's manifest, from which
    /// other tools deploy.
    /// </summary>
    public static IDistributedApplicationBuilder PublishComposeFile(this IDistributedApplicationBuilder builder)
    {
        builder.Pipeline.AddStep(
            "publish-compose",
            async context =>
            {
                var directory = context.Services.GetRequiredService<IPipelineOutputService>().GetOutputDirectory();
                Directory.CreateDirectory(directory);
                var file = Path.Combine(directory, ComposeFileName);
                var text = await new ComposeFile(context.ExecutionContext, context.Logger)
                    .WriteAsync(context.Model.Resources, context.CancellationToken);
                await File.WriteAllTextAsync(file, text, context.CancellationToken);
            },
            dependsOn: "publish-manifest",
            requiredBy: WellKnownPipelineSteps.Publish);
        return builder;
    }
}
