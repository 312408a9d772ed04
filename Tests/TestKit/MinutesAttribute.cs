namespace Platform.Tests.TestKit;

/// <summary>Gives a test another time than the five minutes of <see cref="TimeLimitAttribute"/>: one that builds programs, as a person does.</summary>
/// <param name="limit">How many minutes it may take.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MinutesAttribute(int limit) : Attribute
{
    /// <summary>How many minutes it may take.</summary>
    public int Limit => limit;
}
