using Platform.Hosting.Mongo;

namespace Platform.AppHost.Settings;

/// <summary>The engine of a graph, and why it is this one.</summary>
/// <param name="Engine">The engine.</param>
/// <param name="Why">Who chose it and for what reason.</param>
internal sealed record EngineChoice(Engine Engine, string Why)
{
    private const string Asked = "asked for by Platform:Engine";

    /// <summary>The engine's name, as the setting spells it.</summary>
    public string Name => Engine.ToString().ToLowerInvariant();

    /// <summary>
    /// The engine of a graph that is published and not run: the servers are somebody else's (Atlas, managed or self-hosted ones),
    /// whatever the machine has that publishes it.
    /// </summary>
    public static EngineChoice Published { get; } = new(Engine.External, "published: the servers are parameters of the deployment");

    /// <summary>Takes the engine that is asked for, or the first that this machine can run.</summary>
    /// <param name="setting">
    /// The value of <c>Platform:Engine</c>; null, empty and <c>auto</c> leave the choice to the machine.
    /// </param>
    /// <param name="machine">What the machine has.</param>
    /// <exception cref="DistributedApplicationException">
    /// There is no such engine, or the machine cannot run it.
    /// </exception>
    public static EngineChoice From(string? setting, Machine machine) => setting?.ToLowerInvariant() switch
    {
        null or "" or "auto" => FirstOf(machine),
        "containers" => machine.FindContainerRuntime() is var runtime && runtime.Answers
            ? new(Engine.Containers, Asked)
            : throw CannotRun(setting, $"{runtime}: start Docker or Podman"),
        "mongod" => MissingOf(machine) is { } missing
            ? throw CannotRun(setting, $"{missing} is not on the PATH: install it")
            : new(Engine.Mongod, Asked),
        "documentdb" => new(Engine.DocumentDb, Asked),
        "external" => new(Engine.External, Asked),
        _ => throw new DistributedApplicationException(
            $"Platform:Engine is '{setting}', but must be auto, containers, mongod, documentdb or external."),
    };

    /// <summary>For example <c>documentdb (asked for by Platform:Engine)</c>.</summary>
    public override string ToString() => $"{Name} ({Why})";

    private static EngineChoice FirstOf(Machine machine)
    {
        var runtime = machine.FindContainerRuntime();
        if (runtime.Answers)
        {
            return new(Engine.Containers, "chosen by auto: a container runtime answers");
        }

        return MissingOf(machine) is { } missing
            ? new(Engine.DocumentDb, $"chosen by auto: {runtime}, and {missing} is not on the PATH")
            : new(Engine.Mongod, $"chosen by auto: {runtime}, and mongod is on the PATH");
    }

    private static string? MissingOf(Machine machine)
        => ((string[])["mongod", "mongosh"]).FirstOrDefault(program => !machine.HasProgram(program));

    private static DistributedApplicationException CannotRun(string setting, string reason)
        => new($"Platform:Engine is '{setting}', but {reason}, or use --Platform:Engine=documentdb.");
}
