namespace Aspire.Hosting.ApplicationModel;

/// <summary>Names of the properties that the dashboard reads.</summary>
internal static class KnownProperties
{
    public static class Resource
    {
        public const string Uid = "resource.uid";
        public const string Name = "resource.name";
        public const string Type = "resource.type";
        public const string DisplayName = "resource.displayName";
        public const string State = "resource.state";
        public const string HealthState = "resource.healthState";
        public const string CreateTime = "resource.createTime";
        public const string StartTime = "resource.startTime";
        public const string StopTime = "resource.stopTime";
        public const string ExitCode = "resource.exitCode";
        public const string Source = "resource.source";
        public const string ConnectionString = "resource.connectionString";

        /// <summary>The instance id of the parent: nests the row of a resource under it.</summary>
        public const string ParentName = "resource.parentName";

        /// <summary>A list of the resources that it still waits for.</summary>
        public const string WaitingFor = "resource.waitingFor";

        /// <summary>A list of the arguments that the graph gave.</summary>
        public const string AppArgs = "resource.appArgs";

        /// <summary>A list with 1 for each of those arguments that is a secret, else 0.</summary>
        public const string AppArgsSensitivity = "resource.appArgsSensitivity";
    }

    public static class Executable
    {
        public const string Path = "executable.path";
        public const string WorkDir = "executable.workDir";

        /// <summary>A list; always treated as a secret.</summary>
        public const string Args = "executable.args";
        public const string Pid = "executable.pid";
    }

    public static class Project
    {
        public const string Path = "project.path";
        public const string LaunchProfile = "project.launchProfile";
    }

    public static class Container
    {
        public const string Image = "container.image";
        public const string Id = "container.id";
        public const string Command = "container.command";

        /// <summary>A list; always treated as a secret.</summary>
        public const string Args = "container.args";
        public const string Ports = "container.ports";
        public const string Lifetime = "container.lifetime";
    }

    public static class Parameter
    {
        public const string Value = "Value";
    }
}
