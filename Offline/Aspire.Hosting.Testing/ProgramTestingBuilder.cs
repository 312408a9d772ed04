using Microsoft.Extensions.DependencyInjection;

namespace Aspire.Hosting.Testing;

/// <summary>A builder that the app host's own <c>Main</c> made and is held back in.</summary>
internal sealed class ProgramTestingBuilder : TestingBuilder
{
    private readonly AppHostProgram _program;

    public ProgramTestingBuilder(AppHostProgram program, DistributedApplicationBuilder inner)
        : base(inner)
    {
        _program = program;
        inner.Services.AddHttpClient();
    }

    public override async Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default)
        => new ProgramApplication(_program, await _program.BuildAsync(cancellationToken));

    public override ValueTask DisposeAsync() => _program.DisposeAsync();
}
