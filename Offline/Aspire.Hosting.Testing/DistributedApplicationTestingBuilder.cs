using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Testing;

/// <summary>
/// Makes testing builders. In a test there is no dashboard, fixed public ports are replaced by free ones, and resources write their
/// console lines to the app host's log, unless the test or its arguments say otherwise.
/// </summary>
public static class DistributedApplicationTestingBuilder
{
    /// <summary>Runs the <c>Main</c> of the app host that <typeparamref name="TEntryPoint"/> is a type of, up to its call of
    /// <c>Build()</c>.</summary>
    /// <exception cref="InvalidOperationException">The assembly has no <c>Main</c>, or it ended without building an app.</exception>
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(CancellationToken cancellationToken = default)
        where TEntryPoint : class
        => RunAsync(typeof(TEntryPoint), [], static (_, _) => { }, cancellationToken);

    /// <summary>The same, with arguments: they are handed to <c>Main</c> and win over all other settings.</summary>
    /// <inheritdoc cref="CreateAsync{TEntryPoint}(CancellationToken)" path="/exception" />
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(
        string[] args,
        CancellationToken cancellationToken = default)
        where TEntryPoint : class
        => RunAsync(typeof(TEntryPoint), args, static (_, _) => { }, cancellationToken);

    /// <summary>The same, with arguments and a change of the options that the builder is made with.</summary>
    /// <inheritdoc cref="CreateAsync{TEntryPoint}(CancellationToken)" path="/exception" />
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(
        string[] args,
        Action<DistributedApplicationOptions, HostApplicationBuilderSettings> configureBuilder,
        CancellationToken cancellationToken = default)
        => RunAsync(typeof(TEntryPoint), args, configureBuilder, cancellationToken);

    /// <inheritdoc cref="CreateAsync{TEntryPoint}(CancellationToken)" />
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync(Type entryPoint, CancellationToken cancellationToken = default)
        => RunAsync(entryPoint, [], static (_, _) => { }, cancellationToken);

    /// <inheritdoc cref="CreateAsync{TEntryPoint}(string[], CancellationToken)" />
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync(
        Type entryPoint,
        string[] args,
        CancellationToken cancellationToken = default)
        => RunAsync(entryPoint, args, static (_, _) => { }, cancellationToken);

    /// <inheritdoc cref="CreateAsync{TEntryPoint}(string[], Action{DistributedApplicationOptions, HostApplicationBuilderSettings}, CancellationToken)" />
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync(
        Type entryPoint,
        string[] args,
        Action<DistributedApplicationOptions, HostApplicationBuilderSettings> configureBuilder,
        CancellationToken cancellationToken = default)
        => RunAsync(entryPoint, args, configureBuilder, cancellationToken);

    /// <summary>Makes a builder without an app host program.</summary>
    /// <exception cref="ArgumentException">An argument is null or empty.</exception>
    public static IDistributedApplicationTestingBuilder Create(params string[] args)
        => DirectTestingBuilder.Create(TestDefaults.Checked(args), configureBuilder: null);

    /// <summary>Makes a builder without an app host program, with a change of the options that it is made with.</summary>
    /// <exception cref="ArgumentException">An argument is null or empty.</exception>
    public static IDistributedApplicationTestingBuilder Create(
        string[] args,
        Action<DistributedApplicationOptions, HostApplicationBuilderSettings> configureBuilder)
    {
        ArgumentNullException.ThrowIfNull(configureBuilder);
        return DirectTestingBuilder.Create(TestDefaults.Checked(args), configureBuilder);
    }

    private static async Task<IDistributedApplicationTestingBuilder> RunAsync(
        Type entryPoint,
        string[] args,
        Action<DistributedApplicationOptions, HostApplicationBuilderSettings> configureBuilder,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entryPoint);
        ArgumentNullException.ThrowIfNull(configureBuilder);
        var program = new AppHostProgram(entryPoint, TestDefaults.Checked(args), AppHostProgram.Hooks.With((options, hostOptions) =>
        {
            TestDefaults.Apply(options, hostOptions, entryPoint.Assembly, args);
            configureBuilder(options, hostOptions);
        }));
        try
        {
            return new ProgramTestingBuilder(program, await program.RunToBuildAsync(cancellationToken));
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }
    }
}
