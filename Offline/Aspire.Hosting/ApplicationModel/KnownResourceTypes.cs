namespace Aspire.Hosting.ApplicationModel;

/// <summary>Types of resources that the dashboard treats specially.</summary>
internal static class KnownResourceTypes
{
    public const string Project = "Project";
    public const string Executable = "Executable";
    public const string Container = "Container";
    public const string Parameter = "Parameter";
    public const string ConnectionString = "ConnectionString";
}
