namespace Platform.Tests.Unit.Migrator.States;

/// <summary>One run of the program: counts its await points, at one of which something befalls it.</summary>
/// <param name="fault">What.</param>
/// <param name="after">After how many await points.</param>
/// <param name="length">Of an outage: how many await points it lasts.</param>
internal sealed class ModelProcess(ModelFault fault, int after, int length)
{
    private int _points;

    /// <summary>Whether it was killed.</summary>
    public bool IsDead { get; private set; }

    /// <summary>Asks it to stop.</summary>
    public Func<Task> StopAsync { get; set; } = () => Task.CompletedTask;

    /// <summary>The steps that have returned in the present attempt.</summary>
    public List<string> Returned { get; } = [];

    /// <summary>What the migrations were entered for, in order.</summary>
    public List<string> Entered { get; } = [];

    /// <summary>Whether a migration, or the server, refused.</summary>
    public bool Refused { get; set; }

    public override string ToString() => $"{fault} after {after} for {length}";

    /// <summary>A point at which something can befall the process.</summary>
    public async Task PassAsync()
    {
        if (IsDead)
        {
            throw new ModelKilledException();
        }

        var point = _points++;
        switch (fault)
        {
            case ModelFault.Kill when point == after:
                IsDead = true;
                throw new ModelKilledException();
            case ModelFault.Outage when point >= after && point < after + length:
                throw new TimeoutException("The server does not answer.");
            case ModelFault.Cancel when point == after:
                await StopAsync();
                break;
        }
    }
}
