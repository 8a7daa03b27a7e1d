@rem Windows without a sh in PATH: Stash starts this in its place, with the path of breakwater.sh as the first word.
@rem Nobody has run this on a Windows yet.
@echo off
setlocal
set "node=%BREAKWATER_NODE%"
if not defined node for /f "delims=" %%n in ('where node 2^>nul') do if not defined node set "node=%%n"
if not defined node if exist "%ProgramFiles%\nodejs\node.exe" set "node=%ProgramFiles%\nodejs\node.exe"
set "problem="
if not defined node set "problem=Breakwater needs Node 20.19 or newer, and there is none here: install it from https://nodejs.org and start Stash anew"
if "%~2"=="install-node" set "problem=This task is for Alpine and Debian. On Windows install Node from https://nodejs.org and start Stash anew"
if not defined problem "%node%" "%~dp0breakwater.cjs" %2 %3 %4 %5 %6 %7 %8 %9
if defined problem echo {"error":"%problem%"}
if defined problem exit /b 0
